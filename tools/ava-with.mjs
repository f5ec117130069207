// Runs ava in this Node, and the test files in another one: `node tools/ava-with.mjs NODE [argument …]`.
import process from 'node:process';

const [node] = process.argv.splice(2, 1);
process.execPath = node; // what fork() starts
await import('../node_modules/ava/entrypoints/cli.mjs');
