/**
 * Real time for a world, whoever fakes timers: what is captured here at load is real, unless timers were faked before;
 * then it is made of what no fake-timers library replaces.
 */
interface Faked {
  /** Set by @sinonjs/fake-timers, which vitest and jest use, on what it replaces. */
  readonly clock?: unknown;
}

const loadedImmediate = globalThis.setImmediate;
const loadedTimeout = globalThis.setTimeout;
const loadedClear = globalThis.clearTimeout;
const timersAreReal =
  (loadedImmediate as Faked).clock === undefined &&
  (loadedTimeout as Faked).clock === undefined &&
  (loadedClear as Faked).clock === undefined;

/** Milliseconds since this process began. */
export function realNowMs(): number {
  return process.uptime() * 1000;
}

/** One turn of the real event loop. */
export function realTurn(): Promise<void> {
  if (timersAreReal) return new Promise((resolve) => loadedImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}

/** Resolves after `ms`, or as soon as `until` settles. */
export async function realWait(ms: number, until: Promise<unknown>): Promise<void> {
  if (!timersAreReal) {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const waiting = Atomics.waitAsync(cell, 0, 0, ms);
    await Promise.race([waiting.value, until]);
    Atomics.notify(cell, 0);
    return;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await Promise.race([
      new Promise<void>((resolve) => {
        timer = loadedTimeout(resolve, ms);
      }),
      until,
    ]);
  } finally {
    loadedClear(timer);
  }
}
