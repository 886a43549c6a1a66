/** What only a world can show: its ticks, and that nothing is left in it. */
import { tickId } from 'celeriac';
import type { World } from 'celeriac/testing';

import { PUNCTUAL_MS } from './check.ts';
import type { End } from './facts.ts';
import type { Ledger } from './ledger.ts';
import { ticksOf } from './ticks.ts';

export class WorldChecker {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #ends: ReadonlyMap<string, End>;

  constructor(world: World, ledger: Ledger, ends: ReadonlyMap<string, End>) {
    this.#world = world;
    this.#ledger = ledger;
    this.#ends = ends;
  }

  async ticks(startMs: number, endMs: number, punctual: boolean): Promise<void> {
    const seen = new Map<string, Set<string>>();
    for (const { entry, scheduledMs, id, atMs } of this.#ledger.ticks) {
      if (punctual && entry !== 'turns' && atMs - scheduledMs > PUNCTUAL_MS)
        this.#ledger.violate('on time', `${entry} ${atMs - scheduledMs} ms late`, id);
      const key = `${entry}@${scheduledMs}`;
      seen.set(key, (seen.get(key) ?? new Set()).add(id));
    }
    for (const [key, ids] of seen) if (ids.size > 1) this.#ledger.violate('a tick is one task', key);
    const skipped = new Set(this.#world.faults.skipped.map(tickOf));
    const nowMs = this.#world.clock.nowMs();
    for (const { name, firedBy } of this.#world.app.manifest().beat) {
      const anchorMs = await this.#anchorOf(name, startMs);
      const due = ticksOf(name, startMs - 1, nowMs, anchorMs);
      for (const dueMs of due) {
        // An entry is swept from when a sweeper first sees it.
        if (
          dueMs > Math.max(startMs, anchorMs) &&
          dueMs < endMs &&
          !seen.has(`${name}@${dueMs}`) &&
          !skipped.has(`${name}@${dueMs}`) &&
          !this.#isLeftOut(name, dueMs)
        )
          this.#ledger.violate('every tick runs', `${name} (${firedBy}) at ${new Date(dueMs).toISOString()}`);
      }
      const expected = new Set(due);
      for (const { entry, scheduledMs, id } of this.#ledger.ticks)
        if (entry === name && !expected.has(scheduledMs))
          this.#ledger.violate('no other tick runs', `${name} at ${new Date(scheduledMs).toISOString()}`, id);
    }
  }

  /** It does not run beside itself. */
  #isLeftOut(name: string, dueMs: number): boolean {
    return name === 'alone' && this.#ends.get(tickId(name, dueMs))?.state === 'IGNORED';
  }

  /** An interval counts from when a sweeper first saw it, by that sweeper's clock. */
  async #anchorOf(name: string, startMs: number): Promise<number> {
    const [item] = await this.#world.schedules.read([name]);
    const state = JSON.parse(item?.document ?? '{}') as { readonly anchorMs?: number };
    return state.anchorMs ?? startMs;
  }

  /** Nothing is left behind, and every dead letter has a reason that its task's state confirms. */
  rest(): void {
    const { broker, timers, app } = this.#world;
    for (const queue of [...Object.keys(app.settings.queues), '__lost__']) {
      for (const deadLetter of broker.peekAll(queue))
        this.#ledger.violate('nothing in flight', `${queue}: ${deadLetter.body.slice(0, 40)}`);
      for (const { attributes } of broker.deadLetters(queue)) {
        const end = this.#ends.get(attributes['task_id'] ?? '');
        if (end === undefined || end.state === 'SUCCESS' || attributes['reason'] === undefined)
          this.#ledger.violate(
            'dead letters are explained',
            `${attributes['task_id']}: ${attributes['reason']}, ${end?.state}`,
          );
      }
    }
    if (timers.size() > 0) this.#ledger.violate('nothing in flight', `${timers.size()} timers`);
  }
}

/** Reasons of the dead letters, by task id. */
export function lettersOf({ broker, app }: World): Map<string, string[]> {
  const deadLetters = new Map<string, string[]>();
  for (const queue of Object.keys(app.settings.queues)) {
    for (const { attributes } of broker.deadLetters(queue)) {
      const id = attributes['task_id'] ?? '';
      deadLetters.set(id, [...(deadLetters.get(id) ?? []), attributes['reason'] ?? '']);
    }
  }
  return deadLetters;
}

/** Which tick a rule's message was for. */
function tickOf(body: string): string {
  const { headers } = JSON.parse(body) as {
    readonly headers: { readonly celeriac: { readonly beat: { readonly entry: string; readonly time: string } } };
  };
  const { entry, time } = headers.celeriac.beat;
  return `${entry}@${Date.parse(time)}`;
}
