/** Adding a backend takes one line that registers it, and one that says what it lacks. */
import test from 'ava';
import { EventFd, Poller, PollerEvents, READABLE } from '../../ts/index.js';
import { judge } from './suite.js';
import { rows } from './backends.js';
import './toy.js';

const { lacks = [] } = rows.find(({ backend }) => backend === 'poll') ?? {};
const from = new URL('./toy.js', import.meta.url).href;
judge({ backend: 'toy', without: [''], lacks, from });

test('it is the toy that was judged: its batches come from their end', (t) => {
  using one = new EventFd({ initialValue: 1 });
  using other = new EventFd({ initialValue: 1 });
  const events = new PollerEvents();
  const orders = ['poll', 'toy'].map((backend) => {
    using poller = new Poller({ backend: backend as 'poll' });
    poller.add(one, READABLE);
    poller.add(other, READABLE);
    poller.wait(events);
    return [...events].map(({ fd }) => fd);
  });
  t.deepEqual(orders, [
    [one.fd, other.fd],
    [other.fd, one.fd],
  ]);
});
