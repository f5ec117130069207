import test from 'ava';
import { readRepositoryFile, repositoryFiles } from '../support/repository.js';

const sources = repositoryFiles()
  .filter((file) => /^native\/(addon|(core|sys|uv)\/\w+)\.cc$/.test(file))
  .map((file) => file.replace(/^native\//, ''))
  .sort();

/** The sources that a build file names, without the tests. */
function named(file: string, pattern: RegExp): string[] {
  const names = [...readRepositoryFile(file).matchAll(pattern)].map(([, name = '']) => name);
  return names.sort();
}

test('binding.gyp lists the sources that are in native/', (t) => {
  t.true(sources.length > 10);
  t.deepEqual(named('binding.gyp', /"native\/([\w/]+\.cc)"/g), sources);
});

test('native/CMakeLists.txt lists the sources that are in native/', (t) => {
  t.deepEqual(
    named('native/CMakeLists.txt', /^\s+((?:addon|(?:core|sys|uv)\/\w+)\.cc)\b/gm),
    sources,
  );
});

test('native/CMakeLists.txt lists the C++ tests that are in native/test/', (t) => {
  const tests = repositoryFiles()
    .filter((file) => /^native\/test\/\w+\.cc$/.test(file))
    .map((file) => file.replace(/^native\//, ''))
    .sort();
  t.deepEqual(named('native/CMakeLists.txt', /^\s+(test\/\w+\.cc)\b/gm), tests);
});
