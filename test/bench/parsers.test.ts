/** What the benchmark reads out of the reports of other programs. */
import test from 'ava';
import { failedRequests, latenciesOf } from '../../bench/lib/ab.js';
import { countCollections } from '../../bench/lib/load.js';
import { callsIn } from '../../bench/lib/system-calls.js';

const STRACE = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.600000           6    100000           sendto
 39.00    0.390000           3    100001        12 recvfrom
  1.00    0.010000          10       999           epoll_wait
------ ----------- ----------- --------- --------- ----------------
100.00    1.000000           4    201000        12 total
`;

const AB = `Complete requests:      1000
Failed requests:        3
   (Connect: 0, Receive: 0, Length: 3, Exceptions: 0)
Requests per second:    5000.00 [#/sec] (mean)

Percentage of the requests served within a certain time (ms)
  50%      5
  66%      6
 100%     20 (longest request)
`;

test('the calls of strace are summed up without their own sum', (t) => {
  t.is(callsIn(STRACE), 201_000);
  t.is(callsIn(''), 0);
});

test('collections are counted in what V8 writes, old and new', (t) => {
  const log = [
    'listening on 127.0.0.1:1234',
    '[4130:0x1661dc00]       34 ms: Scavenge 4.1 (4.2) -> 3.3 (5.2) MB, pooled: 0 MB, 1 / 0 ms',
    '[4130:0x1661dc00:0]    8034 ms: Mark-Compact (reduce) 4.1 (4.2) -> 3.3 (5.2) MB, 1 / 0 ms',
    'nothing of the kind',
  ];
  t.is(countCollections(log.join('\n')), 2);
});

test('requests that ab did not complete, or not well, have failed', (t) => {
  t.is(failedRequests(AB, 1000), 3);
  t.is(failedRequests(AB, 1010), 13);
  t.is(failedRequests(`${AB}Non-2xx responses:      40\n`, 1000), 43);
});

test('the percentiles of ab become latencies', (t) => {
  t.deepEqual(latenciesOf(AB, 1000), [
    [5e6, 500],
    [6e6, 160],
    [20e6, 340],
  ]);
});
