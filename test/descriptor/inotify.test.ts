/** Inotify and Pidfd: files and processes as descriptors. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { EpollEvents, Inotify, inotifyEvents, Pidfd, WOULD_BLOCK } from '../../ts/index.js';
import {
  EPOLLIN,
  IN_CREATE,
  IN_DELETE,
  IN_IGNORED,
  IN_ISDIR,
  IN_MODIFY,
  IN_MOVED_FROM,
  IN_MOVED_TO,
} from '../../ts/sys/constants.js';
import { awaitReady, closing, newEpoll } from '../support/pairs.js';

function folder(t: ExecutionContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'raw-epoll-'));
  t.teardown(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

test('what happens in a folder is read in its order, with names', (t) => {
  const inotify = closing(t, new Inotify());
  const where = folder(t);
  const wd = inotify.add(where, IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO);
  t.is(inotify.read(), WOULD_BLOCK);
  const long = 'ü'.repeat(100);
  writeFileSync(path.join(where, long), '');
  mkdirSync(path.join(where, 'folder'));
  renameSync(path.join(where, long), path.join(where, 'b'));
  rmSync(path.join(where, 'b'));
  awaitReady(inotify, EPOLLIN);
  const events = inotify.read();
  if (events === WOULD_BLOCK) return t.fail('nothing was there');
  t.deepEqual(
    events.map(({ mask, name }) => [mask, name]),
    [
      [IN_CREATE, long],
      [(IN_CREATE | IN_ISDIR) >>> 0, 'folder'],
      [IN_MOVED_FROM, long],
      [IN_MOVED_TO, 'b'],
      [IN_DELETE, 'b'],
    ],
  );
  t.true(events.every((event) => event.wd === wd));
  t.true((events[2]?.cookie ?? 0) > 0);
  t.is(events[2]?.cookie, events[3]?.cookie);
  return t.is(inotify.read(), WOULD_BLOCK);
});

test('a watch of a file has no name, and ends with IN_IGNORED', (t) => {
  const inotify = closing(t, new Inotify());
  const file = path.join(folder(t), 'file');
  writeFileSync(file, '');
  const wd = inotify.add(file, IN_MODIFY);
  writeFileSync(file, 'changed');
  inotify.remove(wd);
  t.deepEqual(inotify.read(), [
    { wd, mask: IN_MODIFY, cookie: 0, name: '' },
    { wd, mask: IN_IGNORED, cookie: 0, name: '' },
  ]);
  t.throws(
    () => {
      inotify.remove(wd);
    },
    { code: 'EINVAL' },
  );
  t.throws(() => inotify.add(`${file}.none`, IN_MODIFY), { code: 'ENOENT' });
  t.throws(() => inotify.add(1 as never, IN_MODIFY), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => inotify.add('a\0b', IN_MODIFY), { code: 'ERR_OUT_OF_RANGE' });
});

test('half an event and a length that lies decode to nothing', (t) => {
  const buffer = new Uint8Array(32);
  new Uint32Array(buffer.buffer).set([1, 2, 3, 16]);
  buffer.set(Buffer.from('name'), 16);
  t.deepEqual(inotifyEvents(buffer, 32), [{ wd: 1, mask: 2, cookie: 3, name: 'name' }]);
  for (const length of [0, 1, 15, 16, 31]) t.deepEqual(inotifyEvents(buffer, length), []);
  new Uint32Array(buffer.buffer).set([1, 2, 3, 2 ** 32 - 1]);
  t.deepEqual(inotifyEvents(buffer, 32), []);
  t.throws(() => inotifyEvents(buffer, 33), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => inotifyEvents('x' as never, 0), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('a pidfd is readable once its process has ended, and not before', async (t) => {
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  const pidfd = closing(t, new Pidfd(child.pid ?? -1));
  t.is(pidfd.pid, child.pid as number);
  const epoll = newEpoll(t);
  epoll.add(pidfd, EPOLLIN);
  const events = new EpollEvents(1);
  t.is(epoll.wait(events, 0), 0);
  child.kill();
  t.is(epoll.wait(events, 10_000), 1);
  if (child.exitCode === null) await once(child, 'exit');
  t.throws(() => new Pidfd(2 ** 31 - 1), { code: 'ESRCH' });
  for (const pid of [0, -1, 0.5, 2 ** 31]) {
    t.throws(() => new Pidfd(pid), { code: 'ERR_OUT_OF_RANGE' });
  }
});
