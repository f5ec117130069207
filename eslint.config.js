import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  globalIgnores(['build/', 'node_modules/', 'prebuilds/']),
  {
    files: ['**/*.ts'],
    extends: [
      js.configs.recommended,
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
    ],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      // `for (;;)` says what an explicit loop is; `while (true)` is the form the rule dislikes.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: true },
      ],
      // Arrays of descriptors and events are indexed in bounds that the line above has checked.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // `${fd}` of a number is as clear as `${String(fd)}`.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // The compiler wants the type of every exported parameter (isolatedDeclarations).
      '@typescript-eslint/no-inferrable-types': 'off',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // A test's closure holds the whole story of the test.
      'max-lines-per-function': 'off',
      // Tests pass what no typed caller would, and take methods off their objects.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      // `@ts-expect-error` in few words is the assertion of a type test.
      '@typescript-eslint/ban-ts-comment': ['error', { minimumDescriptionLength: 3 }],
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    extends: [js.configs.recommended],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
