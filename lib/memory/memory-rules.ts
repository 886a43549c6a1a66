/** EventBridge's rules in memory: what fires, and when. The world and the embedded cloud have them. */
import type { BeatManifest } from '../options/manifest.ts';
import type { Clock } from '../base/time.ts';
import type { Rules } from '../ports/schedules.ts';
import type { OutgoingMessage } from '../ports/broker.ts';
import { fillTemplate } from '../schedules/eventbridge.ts';
import { nextDueMs } from '../schedules/next-due.ts';

/** A rule as another process finds it again, as JSON. */
export interface KeptRule {
  readonly name: string;
  /** What was declared, as a text to compare. */
  readonly declaration: string;
  readonly anchorMs: number;
  readonly enabled: boolean;
  readonly nextMs?: number;
}

interface Rule {
  readonly definition: BeatManifest;
  /** A rate counts from the rule's making. */
  readonly anchorMs: number;
  enabled: boolean;
  nextMs: number | undefined;
}

const RESTART_MS = 10_000;
// EventBridge's own word.
const NOT_FOUND = 'ResourceNotFoundException';

/** EventBridge's rules in memory: what fires, and when. */
export class MemoryRules implements Rules {
  readonly #clock: Clock;
  readonly #rules = new Map<string, Rule>();

  readonly #kept: ReadonlyMap<string, KeptRule>;

  /** Without rules, until `deploy()` makes them: those among `kept` that are declared as before go on where they were. */
  constructor(clock: Clock, kept: readonly KeptRule[] = []) {
    this.#clock = clock;
    this.#kept = new Map(kept.map((rule) => [rule.name, rule]));
  }

  /** What a deployment does: rules that are new or changed are made as declared, the rest stay as they are. */
  deploy(entries: readonly BeatManifest[]): void {
    const wanted = new Map(entries.filter((entry) => entry.firedBy === 'rule').map((entry) => [entry.name, entry]));
    for (const name of this.#rules.keys()) if (!wanted.has(name)) this.#rules.delete(name);
    for (const [name, definition] of wanted) {
      const known = this.#rules.get(name);
      if (known !== undefined && declarationOf(known.definition) === declarationOf(definition)) continue;
      this.#rules.set(name, this.#made(definition));
    }
  }

  /** All of them as they are now. */
  keep(): KeptRule[] {
    return [...this.#rules].map(([name, { definition, anchorMs, enabled, nextMs }]) => ({
      name,
      declaration: declarationOf(definition),
      anchorMs,
      enabled,
      ...(nextMs === undefined ? {} : { nextMs }),
    }));
  }

  #made(definition: BeatManifest): Rule {
    const nowMs = this.#clock.nowMs();
    const kept = this.#kept.get(definition.name);
    if (kept?.declaration !== declarationOf(definition)) {
      const { enabled, schedule } = definition;
      return { definition, anchorMs: nowMs, enabled, nextMs: nextDueMs(schedule, nowMs) };
    }
    const { anchorMs, enabled, nextMs } = kept;
    // What came due while nobody was there is not made up for, as little as EventBridge's: a restart takes less than this.
    const isMissed = nextMs === undefined || nextMs < nowMs - RESTART_MS;
    return {
      definition,
      anchorMs,
      enabled,
      nextMs: isMissed ? nextDueMs(definition.schedule, nowMs, anchorMs) : nextMs,
    };
  }

  isEnabled(entry: string): Promise<boolean | undefined> {
    return Promise.resolve(this.#rules.get(entry)?.enabled);
  }

  setEnabled(entry: string, enabled: boolean): Promise<void> {
    const rule = this.#rules.get(entry);
    if (rule === undefined)
      return Promise.reject(Object.assign(new Error(`There is no rule of entry '${entry}'.`), { name: NOT_FOUND }));
    if (enabled && !rule.enabled) rule.nextMs = nextDueMs(rule.definition.schedule, this.#clock.nowMs(), rule.anchorMs);
    rule.enabled = enabled;
    return Promise.resolve();
  }

  /** When the next rule fires, or undefined. */
  nextFireMs(): number | undefined {
    let next: number | undefined;
    for (const { enabled, nextMs } of this.#rules.values())
      if (enabled && nextMs !== undefined && (next === undefined || nextMs < next)) next = nextMs;
    return next;
  }

  /** The messages of every firing up to now, as EventBridge writes them. */
  fire(): OutgoingMessage[] {
    const nowMs = this.#clock.nowMs();
    const messages: OutgoingMessage[] = [];
    for (const rule of this.#rules.values()) {
      const { definition } = rule;
      while (rule.enabled && rule.nextMs !== undefined && rule.nextMs <= nowMs) {
        messages.push({ queue: definition.queue, body: fillTemplate(definition.template ?? '', rule.nextMs) });
        rule.nextMs = nextDueMs(definition.schedule, rule.nextMs, rule.anchorMs);
      }
    }
    return messages;
  }
}

function declarationOf({ expression, template, queue, enabled }: BeatManifest): string {
  return JSON.stringify([expression, template, queue, enabled]);
}
