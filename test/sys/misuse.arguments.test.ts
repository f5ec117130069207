import test from 'ava';
import * as sys from '../../ts/sys/index.js';
import { needs } from '../support/emulator.js';
import { badValues, show } from './support/bad-values.js';
import { goodCall, invoke } from './support/good-calls.js';
import { Descriptors, hasKqueue, isSystemCall, must, type SystemCall } from './support/kernel.js';
import { refuses } from './support/misuse.js';
import { signatures } from './support/signatures.js';

const calls = Object.keys(signatures) as SystemCall[];

/** They change nothing at all. */
const PURE: ReadonlySet<SystemCall> = new Set(['errnoName', 'strerror']);

test('the table of parameters has every function of level 1', (t) => {
  const exported = Object.keys(sys).filter(isSystemCall);
  t.deepEqual([...calls].sort(), exported.sort());
});

/** They work where there is kqueue, and refuse misuse everywhere. */
const OF_KQUEUE: ReadonlySet<SystemCall> = new Set(['kqueue', 'kevent']);

for (const call of calls) {
  const lack = call === 'epoll_pwait2' ? 'epoll_pwait2' : undefined;
  const works = needs(lack, hasKqueue || !OF_KQUEUE.has(call) ? test : test.skip); // no kqueue

  works(`${call} with right arguments changes what the tests of misuse look at`, (t) => {
    using open = new Descriptors();
    const { args, look, own } = goodCall(call, open);
    t.is(args.length, signatures[call].length);
    const before = look();
    const answer = invoke(call, args);
    if (PURE.has(call)) {
      t.is(typeof answer, 'string');
    } else {
      own?.(must(answer as number));
      must(answer as number);
      t.notDeepEqual(look(), before);
    }
  });

  for (const [index, parameter] of signatures[call].entries()) {
    const [name, kind] = parameter;

    test(`${call} refuses what is no ${kind} as ${name}, and asks nothing of the kernel`, (t) => {
      using open = new Descriptors();
      const { args, look } = goodCall(call, open);
      const before = look();
      const values = badValues(parameter);
      t.true(values.length > 5);
      for (const { value, code, about = name } of values) {
        const wrong = args.with(index, value);
        refuses(t, () => invoke(call, wrong), code, about, show(value));
      }
      t.deepEqual(look(), before);
    });
  }

  test(`${call} refuses arguments that are left out`, (t) => {
    using open = new Descriptors();
    const { args, look } = goodCall(call, open);
    const before = look();
    const required = signatures[call].filter(([, , mayBe]) => mayBe === undefined).length;
    for (let count = 0; count < required; count++) {
      t.throws(() => invoke(call, args.slice(0, count)), {
        instanceOf: TypeError,
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
    t.deepEqual(look(), before);
  });

  works(`${call} does not look at its receiver, nor at arguments too many`, (t) => {
    for (const receiver of [undefined, null, 1, {}, Object.freeze({}), sys]) {
      using open = new Descriptors();
      const { args, own } = goodCall(call, open);
      const method = sys[call] as (...args: unknown[]) => unknown;
      const answer = Reflect.apply(method, receiver, [...args, ...new Array<unknown>(20).fill({})]);
      if (!PURE.has(call)) {
        own?.(must(answer as number));
        must(answer as number);
      }
      t.not(answer, undefined);
    }
  });
}
