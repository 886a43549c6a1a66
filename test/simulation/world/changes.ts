/** A rate limit that is changed while tasks wait for it and workers are under faults. */
import type { Rate } from 'celeriac';
import type { World } from 'celeriac/testing';

import type { Random } from '../../../lib/base/time.ts';
import type { Ports } from '../../../lib/ports/ports.ts';
import type { Rates } from '../../../lib/ports/rates.ts';
import { mostStarts } from './flow.ts';
import type { Ledger, Run } from './ledger.ts';
import type { Program } from './program.ts';
import { over } from './refusals.ts';

export const CHANGED_TASK = 'changed';
const DECLARED_PER_MINUTE = 60;
const BURST = 2;
export const CHANGED_OPTIONS = { rateLimit: { limit: `${DECLARED_PER_MINUTE}/m`, burst: BURST } } as const;

const MINUTE_MS = 60_000;
// Workers look once a minute; one that began to look before the change may end after it, and is believed as long.
const LOOK_MS = 60_000;
const CHANCE_OF_ERROR = 0.3;
const TOGETHER = 60;

interface Planned {
  readonly atMs: number;
  /** undefined: as it is declared; null: none. */
  readonly perMinute: number | null | undefined;
}

/** While a limit may be what a worker knows. */
interface Change {
  readonly perMinute: number;
  readonly askedMs: number;
  answeredMs: number;
}

/** The first one lowers the limit. */
export function plannedChanges(random: Random, withinMs: number): readonly Planned[] {
  const int = (limit: number): number => Math.floor(random.next() * limit);
  const limits = [6, 12, 120, null, undefined] as const;
  const thirdMs = withinMs / 3;
  return [
    { atMs: int(thirdMs / 2), perMinute: 6 + int(5) },
    { atMs: thirdMs + int(thirdMs), perMinute: limits[int(limits.length)] },
    { atMs: 2 * thirdMs + int(thirdMs), perMinute: limits[int(limits.length)] },
  ];
}

/** Many at a time, one lot after each change: there is a line whatever holds. */
export function changedPrograms(
  changes: readonly Planned[],
  programs: number,
  withinMs: number,
): ReadonlyMap<number, readonly Program[]> {
  const lots = changes.map(({ atMs }, lot) => {
    const at = Math.min(programs - 1, Math.floor(((atMs + 3 * LOOK_MS) * programs) / withinMs));
    const lotOf = Array.from({ length: TOGETHER }, (_, n): Program => {
      const key = `c${lot}-${n}.1`;
      return {
        name: key,
        tree: { type: 'leaf', key, task: CHANGED_TASK, behaviour: { kind: 'ok' } },
        explicitIds: true,
        link: false,
      };
    });
    return [at, lotOf] as const;
  });
  return new Map([...Map.groupBy(lots, ([at]) => at)].map(([at, ofOne]) => [at, ofOne.flatMap(([, lot]) => lot)]));
}

export class Changes {
  readonly #made: Change[] = [{ perMinute: DECLARED_PER_MINUTE, askedMs: -Infinity, answeredMs: -Infinity }];
  /** When looks that were answered had been begun. */
  readonly #looks: number[] = [];
  readonly #watched = new WeakMap<Rates, Rates>();
  #nowMs: () => number = () => 0;

  /** An operator changes it, asks again where it is told of an error, and where nothing is told. */
  plan({ app, clock }: World, planned: readonly Planned[], random: Random): void {
    this.#nowMs = () => clock.nowMs();
    for (const { atMs, perMinute } of planned)
      clock.schedule(atMs, () => {
        void (async (): Promise<void> => {
          const limit = perMinute === null || perMinute === undefined ? perMinute : (`${perMinute}/m` as Rate);
          const rate = perMinute === null ? Infinity : (perMinute ?? DECLARED_PER_MINUTE);
          const change: Change = { perMinute: rate, askedMs: clock.nowMs(), answeredMs: Infinity };
          this.#made.push(change);
          do await app.control.rateLimit(CHANGED_TASK, limit);
          while (random.next() < CHANCE_OF_ERROR);
          change.answeredMs = clock.nowMs();
        })();
      });
  }

  /** Between a worker and its services: of one store there is one, as a process has it. */
  watch(ports: Ports): Ports {
    const { rates } = ports;
    if (rates === undefined) return ports;
    const watched =
      this.#watched.get(rates) ??
      over(rates, {
        limits: async () => {
          const askedMs = this.#nowMs();
          const limits = await rates.limits();
          this.#looks.push(askedMs);
          return limits;
        },
      });
    this.#watched.set(rates, watched);
    return { ...ports, rates: watched };
  }

  /** From when on all workers know of it. */
  #knownMs({ answeredMs }: Change, slackMs: number): number {
    const lookMs = Math.min(...this.#looks.filter((ms) => ms > answeredMs), Infinity);
    return Math.max(lookMs, answeredMs + LOOK_MS) + LOOK_MS + slackMs;
  }

  /** In no minute more starts than the loosest limit allows that any worker may know in it. */
  check(ledger: Ledger, slackMs: number): void {
    const starts = new Map<string, Run>();
    for (const run of ledger.runs)
      if (run.key.startsWith('c') && !starts.has(`${run.id}/${run.attempt}`))
        starts.set(`${run.id}/${run.attempt}`, run);
    const inOrder = [...starts.values()];
    for (const [index, { atMs, id }] of inOrder.entries()) {
      const allowed = mostStarts({ perMinute: this.#loosest(atMs, slackMs), burst: BURST }, slackMs);
      const last = inOrder[index + allowed];
      if (last !== undefined && last.atMs - atMs < MINUTE_MS) {
        ledger.violate('a changed limit holds', `more than ${allowed} starts in the minute from ${atMs}`, id);
        return;
      }
    }
  }

  #loosest(atMs: number, slackMs: number): number {
    const known = this.#made.filter(({ askedMs }, index) => {
      const next = this.#made[index + 1];
      return askedMs <= atMs + MINUTE_MS + slackMs && (next === undefined || atMs <= this.#knownMs(next, slackMs));
    });
    return Math.max(...known.map(({ perMinute }) => perMinute));
  }
}
