/** Fake timers of vitest and jest (both are @sinonjs/fake-timers) move with a world. */

/** As much of it as is used here. */
interface FakeClock {
  readonly now: number;
  readonly tick: (ms: number) => unknown;
  readonly timers?: ReadonlyMap<unknown, FakeTimer> | Readonly<Record<string, FakeTimer>>;
}

interface FakeTimer {
  readonly callAt: number;
}

/** The clock under the timers that are faked now, if any are. */
function fakeClock(): FakeClock | undefined {
  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'Date'] as const) {
    const { clock } = globalThis[name] as { clock?: Partial<FakeClock> };
    if (typeof clock?.now === 'number' && typeof clock.tick === 'function') return clock as FakeClock;
  }
  return undefined;
}

/** Milliseconds until the next fake timer is due; undefined when there is none. */
export function nextFakeTimerMs(): number | undefined {
  const clock = fakeClock();
  if (clock?.timers === undefined) return undefined;
  const timers = clock.timers instanceof Map ? clock.timers.values() : Object.values(clock.timers);
  let next: number | undefined;
  for (const { callAt } of timers as Iterable<FakeTimer>) if (next === undefined || callAt < next) next = callAt;
  return next === undefined ? undefined : Math.max(0, next - clock.now);
}

/** Moves fake time on: timers that are due fire, and faked microtasks and ticks run. */
export function moveFakeTimers(ms: number): void {
  fakeClock()?.tick(ms);
}
