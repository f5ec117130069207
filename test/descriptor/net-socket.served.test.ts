/** A thousand connections that are accepted here and served by Node, looked at by a tracer. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { newCertificate } from '../support/certificate.js';
import { fixture } from '../support/child.js';
import { testWithPrograms } from '../support/programs.js';
import { traced } from '../support/traced.js';

const COUNT = 1000;
const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-served-'));

test.after.always(() => {
  rmSync(folder, { recursive: true });
});

for (const [kind, when] of [
  ['http', 'at once'],
  ['https', 'with what was read'],
] as const) {
  testWithPrograms(
    ['strace', 'openssl'],
    `1,000 connections handed over ${when} are served by ${kind}: none fails, none leaks, none is closed twice`,
    async (t) => {
      t.timeout(300_000);
      const { key, cert } = newCertificate();
      const files = [path.join(folder, 'key'), path.join(folder, 'cert')] as const;
      writeFileSync(files[0], key);
      writeFileSync(files[1], cert);
      const { said, calls } = await traced(
        t,
        fixture('descriptor-served-by-node'),
        'close',
        ['--seccomp-bpf'], // the tracer sees these calls alone, and slows down no other
        [kind, when, String(COUNT), ...files],
      );
      t.deepEqual(said, { served: COUNT, failures: [], left: 0 });
      // Both ends of each connection.
      t.true(calls.filter((call) => call.endsWith('= 0')).length >= 2 * COUNT);
      t.deepEqual(
        calls.filter((call) => call.includes('EBADF')),
        [],
      );
    },
  );
}
