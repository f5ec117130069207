import process from 'node:process';

/** Whether the addon under test is built with sanitizers: `npm run test:sanitize`. */
export const IS_SANITIZED: boolean = process.env['RAW_EPOLL_SANITIZED'] === '1';

/** The environment of a program of others: the sanitizers' libraries are loaded for ours. */
export const OTHERS = { LD_PRELOAD: '' } as const;

/** What a sanitizer keeps of the memory that was freed, and of what it knows about the rest. */
export const SHADOW_BYTES: number = IS_SANITIZED ? 128 * 1024 * 1024 : 0;
