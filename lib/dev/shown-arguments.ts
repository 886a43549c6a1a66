/** Arguments of tasks beside the lines of their log, as their senders have them shown: on a developer's own machine alone. */
import { cut } from '../base/error-text.ts';
import type { Delivery } from '../ports/delivery.ts';
import { decodeHeaders } from '../wire/decode-message.ts';

// Lines come while a task runs: more do not at once.
const KEPT = 1000;
const LONGEST_CHARACTERS = 48;

/**
 * Workers log no arguments, and hold none for it: this is read of the messages as they come. A sender that gives `argsrepr` says what
 * is to be read here.
 */
export class ShownArguments {
  readonly #shown = new Map<string, string>();

  note(deliveries: readonly Delivery[]): void {
    for (const { body } of deliveries) {
      const [id, shown] = shownIn(body) ?? [];
      if (id === undefined || shown === undefined) continue;
      this.#shown.delete(id);
      this.#shown.set(id, shown);
      const [oldest] = this.#shown.keys();
      if (this.#shown.size > KEPT && oldest !== undefined) this.#shown.delete(oldest);
    }
  }

  /** Undefined where none are known of it. */
  of(taskId: unknown): string | undefined {
    return typeof taskId === 'string' ? this.#shown.get(taskId) : undefined;
  }
}

function shownIn(body: string): readonly [id: string, shown: string] | undefined {
  try {
    const { id, argsrepr, kwargsrepr } = decodeHeaders(body);
    const shown = kwargsrepr === '' || kwargsrepr === '{}' ? argsrepr : `${argsrepr} ${kwargsrepr}`;
    return shown === '' ? undefined : [id, cut(shown, LONGEST_CHARACTERS)];
  } catch {
    return undefined;
  }
}
