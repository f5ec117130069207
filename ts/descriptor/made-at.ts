/** More than the library itself has on the stack while it makes something. */
const OWN_FRAMES_MAX = 20;

/** Where the library's own frames come from. */
const OWN = new URL('../', import.meta.url).href;

/** The stack without the frames of this library's own folder. @internal */
export function stackOfCaller(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = limit + OWN_FRAMES_MAX;
  const files = filesOfStack();
  // Written as any other error of the program: where it has a source map, by that.
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  Error.stackTraceLimit = limit;
  const callers = frames.filter((_frame, i) => files[i]?.startsWith(OWN) !== true);
  return `made\n${callers.slice(0, limit).join('\n')}`;
}

/** The file of each frame of the caller's stack, as it was loaded. */
function filesOfStack(): (string | undefined)[] {
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  const files: (string | undefined)[] = [];
  Object.defineProperty(Error, 'prepareStackTrace', {
    configurable: true,
    value: (_error: Error, sites: NodeJS.CallSite[]) => {
      for (const site of sites) files.push(site.getFileName() ?? undefined);
    },
  });
  // Asking for the stack calls the function, once.
  Object.is(new Error().stack, undefined);
  Reflect.deleteProperty(Error, 'prepareStackTrace');
  if (before !== undefined) Object.defineProperty(Error, 'prepareStackTrace', before);
  return files.slice(1);
}
