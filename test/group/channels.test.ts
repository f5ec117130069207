/** Members in `run()` hear of no message of Node; a channel they hear. */
import test from 'ava';
import { Channel } from '../../ts/index.js';
import { startGroup } from '../support/groups.js';

test('members are talked to over a channel while run() has their threads', async (t) => {
  const questions = Channel.open<number>({ capacity: 4 });
  const answers = Channel.open<number>({ capacity: 4 });
  const workerData = (): unknown => ({
    way: 'double',
    ends: [questions.receiver.share(), answers.sender.share()],
  });
  const group = startGroup(t, { size: 2, workerData });
  questions.receiver.close();
  answers.sender.close();
  const asked = Array.from({ length: 100 }, (_, n) => n);
  const asking = (async () => {
    for (const n of asked) await questions.sender.send(n);
    questions.sender.close();
  })();
  const doubled: number[] = [];
  for await (const answer of answers.receiver) doubled.push(answer);
  await asking;
  answers.receiver.close();
  t.deepEqual(
    doubled.sort((a, b) => a - b),
    asked.map((n) => 2 * n),
  );
  const { members } = await group.ended;
  t.deepEqual(
    members.map(({ how }) => how),
    ['ended', 'ended'],
  );
});
