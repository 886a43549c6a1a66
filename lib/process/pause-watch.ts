/** Which of its queues a worker process gets nothing of, since people have paused them: it looks every few seconds. */
import { errorLine } from '../base/error-text.ts';
import { PROCESS_PAUSE_LOOK_SECONDS } from '../base/limits.ts';
import type { Settings } from '../options/settings.ts';
import type { Ports } from '../ports/ports.ts';

export class PauseWatch {
  readonly #ports: Pick<Ports, 'pauses' | 'clock' | 'logger'>;
  readonly #queues: Settings['queues'];
  /** Names of queues and lanes that it works on. */
  readonly #own: readonly string[];
  readonly #changed: () => void;
  #paused: ReadonlySet<string> = new Set();
  #isFailing = false;

  /** @param changed called when a queue is paused or resumed */
  constructor(
    own: readonly string[],
    queues: Settings['queues'],
    ports: Pick<Ports, 'pauses' | 'clock' | 'logger'>,
    changed: () => void,
  ) {
    this.#own = own;
    this.#queues = queues;
    this.#ports = ports;
    this.#changed = changed;
  }

  /** Of a lane: whether its queue is paused. */
  has(queue: string): boolean {
    return this.#paused.has(queue);
  }

  get size(): number {
    return this.#paused.size;
  }

  /** Looks once. What it knew stays where nobody answers. */
  async look(): Promise<void> {
    const { pauses, logger } = this.#ports;
    if (pauses === undefined) return;
    try {
      const names = new Map((await pauses.list()).map((pause) => [pause.queue, pause]));
      this.#isFailing = false;
      const paused = this.#own.filter((queue) => names.has(this.#queues[queue]?.laneOf ?? queue));
      const before = this.#paused;
      this.#paused = new Set(paused);
      for (const queue of paused.filter((each) => !before.has(each))) {
        const { by, why } = names.get(this.#queues[queue]?.laneOf ?? queue) ?? { by: 'somebody' };
        const told = why === undefined ? '' : `: ${why}`;
        logger.log('info', `Queue ${queue} is paused by ${by}${told}. What runs goes on`, { queue });
      }
      for (const queue of before) if (!this.has(queue)) logger.log('info', `Queue ${queue} goes on`, { queue });
      if (before.size !== paused.length || paused.some((queue) => !before.has(queue))) this.#changed();
    } catch (error) {
      // Once, and not every few seconds: a policy of before has not the right.
      if (!this.#isFailing) logger.log('warn', `Which queues are paused could not be read: ${errorLine(error)}`);
      this.#isFailing = true;
    }
  }

  /** Looks again and again. */
  async watch(over: AbortSignal): Promise<void> {
    if (this.#ports.pauses === undefined) return;
    for (;;) {
      await this.#ports.clock.sleep(PROCESS_PAUSE_LOOK_SECONDS * 1000, over);
      if (over.aborted) return;
      await this.look();
    }
  }
}
