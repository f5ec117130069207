import { invalidArgType, stateError } from '../errors.js';
import { earlier, inMs, msUntil, type ShutdownOrder } from './control.js';
import { Deferred } from './deferred.js';
import { GroupMember, type MemberReport } from './group-member.js';
import {
  checkGroupShutdown,
  readGroupOptions,
  type GroupSettings,
  type GroupShutdownOptions,
  type LoopGroupOptions,
} from './options.js';

/** What is said of a group when all of its members have ended. */
export interface GroupReport {
  /** One for each, by index. */
  readonly members: readonly MemberReport[];
  /** Whether a failure has ended it: one that was not answered with a restart. */
  readonly failed: boolean;
  /** The first such failure. */
  readonly failure?: unknown;
}

/** The longest that a timer of Node waits: it is armed again then. */
const NODE_TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * Workers with a loop each: one loop fills one core. Starts them, answers their failures, and ends
 * them together.
 *
 * A member is a worker whose module calls {@link joinGroup}. The group starts `size` of them, and
 * nothing else. Its own side lives in Node's loop of the thread that made it: a `Loop` there is to
 * be driven with `runAsync`. It keeps the process alive as long as a member is there.
 *
 * **A failure** is what escapes from a member, an exit code, or a `terminate()` by somebody else. A
 * member that just ends has not failed. `onFailure` says what follows: all end, and the first
 * failure is the reason, as in Go's `errgroup`; or another worker takes the place.
 *
 * **A shutdown** has one deadline for all. The members shut their loops down; what is not done by
 * then they end by force, and a member that does not even do that is terminated. Nothing is left:
 * no thread, no descriptor, no timer. docs/guides/workers.md has all of it.
 *
 * @example
 * ```ts
 * const group = new LoopGroup(new URL('./worker.js', import.meta.url), { size: 2 });
 * process.once('SIGTERM', () => void group.shutdown({ graceMs: 5000 }));
 * await group.ended; // group.ready() tells when all of them serve
 * ```
 */
export class LoopGroup implements AsyncDisposable {
  /** One for each, by index. */
  readonly members: readonly GroupMember[];
  readonly #settings: GroupSettings;
  readonly #ready = new Deferred<undefined>();
  readonly #ended = new Deferred<GroupReport>();
  readonly #reported = new Deferred<GroupReport>();
  /** Somebody hears of a failure. */
  #told = false;
  #failure: { readonly failure: unknown } | undefined;
  #order: ShutdownOrder | undefined;
  #terminateAt: bigint | undefined;
  #timer: NodeJS.Timeout | undefined;
  #done = false;

  /**
   * Starts the members.
   *
   * @param file  The module of a member, as `new Worker` takes it.
   * @throws What `new Worker` refuses the file or the data with; SystemError `EMFILE`, `ENFILE`;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`. What was started by then is terminated.
   *
   * Thread: any whose Node loop turns; so a member, too, if it is driven with `runAsync`.
   */
  constructor(file: string | URL, options: LoopGroupOptions = {}) {
    if (typeof file !== 'string' && !(file instanceof URL)) {
      throw invalidArgType('file', 'string or URL', file);
    }
    this.#settings = readGroupOptions(options);
    this.#ready.hush();
    const members: GroupMember[] = [];
    this.members = members;
    try {
      this.#start(file, members);
    } catch (error) {
      this.#toldElsewhere();
      this.#begin({ graceMs: 0, forceMs: 0 });
      throw error;
    }
  }

  /** True from the beginning of a shutdown, whoever began it. */
  get draining(): boolean {
    return this.#order !== undefined;
  }

  /**
   * Resolves when all members have said that they are ready, after a restart if need be. Rejects
   * with the failure that has ended the group before, or with `ERR_INVALID_STATE` if a shutdown has
   * begun before, or a member has ended without being ready.
   */
  ready(): Promise<undefined> {
    // Whoever waits for this when the group fails hears of it here.
    this.#ready.promise.catch((reason: unknown) => {
      if (reason === this.#failure?.failure) this.#toldElsewhere();
    });
    return this.#ready.promise;
  }

  /**
   * Resolves when all members have ended. Rejects then with the first failure that was not
   * answered with a restart. A failure of which nobody hears is an unhandled rejection: whoever
   * waits for `ready()` or for a shutdown hears of it there.
   */
  get ended(): Promise<GroupReport> {
    this.#told = true;
    return this.#ended.promise;
  }

  /**
   * Shuts all members down. Again: the earlier deadline counts, so `graceMs: 0` forces at once.
   *
   * @returns  Resolves when all have ended, also when one has failed: the report says so.
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, at once.
   */
  shutdown(options: GroupShutdownOptions): Promise<GroupReport> {
    this.#begin(checkGroupShutdown(options, this.#settings.forceMs));
    this.#toldElsewhere();
    return this.#reported.promise;
  }

  /**
   * For `await using`: shuts down with the `graceMs` that the group was started with. Rejects with
   * a failure of which nobody else hears.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const told = this.#told;
    this.#begin(this.#settings);
    await (told ? this.#reported.promise : this.ended);
  }

  /** Whoever does not ask for `ended` need not. */
  #toldElsewhere(): void {
    this.#told = true;
    this.#ended.hush();
  }

  #start(file: string | URL, members: GroupMember[]): void {
    const start = { file, ...this.#settings };
    const owner = { memberReady: this.#memberReady, memberEnded: this.#memberEnded };
    while (members.length < start.size) {
      members.push(new GroupMember(members.length, start, owner));
    }
  }

  readonly #memberReady = (): void => {
    if (this.members.every(({ hasBeenReady }) => hasBeenReady)) this.#ready.resolve(undefined);
  };

  readonly #memberEnded = (member: GroupMember): void => {
    const { index, how, error } = member.report;
    if (how === 'failed') this.#answer(member, error);
    else if (!member.hasBeenReady) this.#ready.reject(endedTooSoon(index));
    if (this.members.every(({ state }) => state === 'ended')) this.#finish();
  };

  /** With a restart, or the end of all. */
  #answer(member: GroupMember, error: unknown): void {
    const { restarts, maxRestarts, restartWindowMs } = this.#settings;
    try {
      if (restarts && !this.draining && member.restart(maxRestarts, restartWindowMs)) {
        // Whoever made the data for it may have begun a shutdown.
        if (this.#order !== undefined) member.shutdown(this.#order);
        return;
      }
      this.#fail(error);
    } catch (refusal) {
      this.#fail(refusal);
    }
  }

  #fail(failure: unknown): void {
    this.#failure ??= { failure };
    this.#ready.reject(failure);
    this.#begin(this.#settings);
  }

  #begin({ graceMs, forceMs }: Required<GroupShutdownOptions>): void {
    if (this.#done) return;
    const dueNs = earlier(this.#order?.dueNs, inMs(graceMs));
    if (this.#order === undefined || dueNs !== this.#order.dueNs) {
      this.#order = { dueNs };
      for (const member of this.members) member.shutdown(this.#order);
    }
    this.#ready.reject(stateError('the group was shut down before all members were ready'));
    this.#terminateAt = earlier(this.#terminateAt, inMs(graceMs + forceMs));
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const ms = msUntil(this.#terminateAt);
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(this.#terminate, Math.min(Math.ceil(ms), NODE_TIMER_MAX_MS));
  }

  readonly #terminate = (): void => {
    if (msUntil(this.#terminateAt) > 0) {
      this.#arm();
      return;
    }
    for (const member of this.members) member.terminate();
  };

  #finish(): void {
    this.#done = true;
    clearTimeout(this.#timer);
    const members = this.members.map(({ report }) => report);
    const report = { members, failed: this.#failure !== undefined, ...this.#failure };
    this.#reported.resolve(report);
    if (this.#failure === undefined) this.#ended.resolve(report);
    else this.#ended.reject(this.#failure.failure);
  }
}

function endedTooSoon(index: number): Error {
  return stateError(`member ${String(index)} has ended before it was ready`);
}
