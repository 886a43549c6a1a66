/** EventBridge's rules in memory: what fires, and when. The world and the embedded cloud have them. */
import type { BeatManifest } from '../options/manifest.ts';
import type { Clock } from '../base/time.ts';
import type { Rules } from '../ports/schedules.ts';
import type { OutgoingMessage } from '../ports/broker.ts';
import { fillTemplate } from '../schedules/eventbridge.ts';
import { nextDueMs } from '../schedules/next-due.ts';

interface Rule {
  readonly definition: BeatManifest;
  /** A rate counts from the rule's making. */
  readonly anchorMs: number;
  enabled: boolean;
  nextMs: number | undefined;
}

// EventBridge's own word.
const NOT_FOUND = 'ResourceNotFoundException';

/** EventBridge's rules in memory: what fires, and when. */
export class MemoryRules implements Rules {
  readonly #clock: Clock;
  readonly #rules = new Map<string, Rule>();

  /** Without rules, until `deploy()` makes them. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What a deployment does: rules that are new or changed are made as declared, the rest stay as they are. */
  deploy(entries: readonly BeatManifest[]): void {
    const wanted = new Map(entries.filter((entry) => entry.firedBy === 'rule').map((entry) => [entry.name, entry]));
    for (const name of this.#rules.keys()) if (!wanted.has(name)) this.#rules.delete(name);
    for (const [name, definition] of wanted) {
      const known = this.#rules.get(name);
      if (known !== undefined && sameRule(known.definition, definition)) continue;
      const anchorMs = this.#clock.nowMs();
      const nextMs = nextDueMs(definition.schedule, anchorMs);
      this.#rules.set(name, { definition, anchorMs, enabled: definition.enabled, nextMs });
    }
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

function sameRule(left: BeatManifest, right: BeatManifest): boolean {
  return (
    left.expression === right.expression &&
    left.template === right.template &&
    left.queue === right.queue &&
    left.enabled === right.enabled
  );
}
