/** A step of thousands of messages is whole wherever its worker stops. */
import type { Ports } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { canvasWorld, send } from '../support/canvas-world.ts';
import { chunksOf, PORTS, REQUEST } from '../support/canvas-windows.ts';
import { type Crash, type CrashLog, dying, newCrashLog, NO_CRASH, tapped } from '../support/port-taps.ts';

/** Requests of the settling of a large step: its windows, and what is noted of them. */
function crashingPorts(ports: Ports, crash: Crash, log: CrashLog): Ports {
  const die = dying(crash, log);
  return tapped(
    ports,
    (call, go, args) => {
      const large = call === 'broker.send' && (args[0] as readonly unknown[]).length === REQUEST;
      const noted = call === 'groups.define' || call === 'groups.forget' || call === 'groups.definition';
      // A process that is dead is dead for every call.
      return large || noted || log.crashed ? die(call, go, args) : go();
    },
    PORTS,
  );
}

describe('a worker that stops in the middle of a step of thousands', () => {
  async function play(crash: Crash): Promise<{ readonly log: CrashLog; readonly runs: readonly unknown[] }> {
    const log = newCrashLog();
    const living = new Set<string>();
    const played = canvasWorld(
      {},
      {
        wrapPorts: (ports, { requestId }) => {
          // Only invocations that begin before the crash can die of it.
          if (!log.crashed) living.add(requestId);
          return living.has(requestId) ? crashingPorts(ports, crash, log) : ports;
        },
      },
    );
    await send(played.tasks.echo.s('first').link(chunksOf(played.tasks, 4200)));
    await played.world.drain();
    expect(played.world.broker.nextVisibleMs()).toBeUndefined();
    return { log, runs: played.runs.map(({ args }) => args[0]) };
  }

  it('every member runs, once, wherever it stops', async () => {
    const { log } = await play(NO_CRASH);
    // Nine windows, a note after eight of them.
    expect(log.calls.filter((call) => call === 'broker.send')).toHaveLength(420);
    const noted = log.calls.indexOf('groups.define') + 1;
    expect(noted).toBeGreaterThan(400);
    const calls = [70, noted, noted + 10];
    for (const call of calls)
      for (const when of ['before', 'after'] as const) {
        const { log: crashed, runs } = await play({ call, when });
        const where = `${when} call ${call}, ${log.calls[call - 1]}`;
        expect(crashed.crashed, where).toBe(true);
        expect(new Set(runs).size, where).toBe(4201);
        expect(runs.length, where).toBe(4201);
      }
  });
});
