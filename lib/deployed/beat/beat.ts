/**
 * The beat in the bundles of deployed functions, where it stands for `lib/beat/beat.ts`: entries are stored as they were
 * declared, and lib/beat and lib/schedules are loaded by whoever asks for them: a sweep, or a task that uses
 * `app.schedules`. All others would load them on every cold start. That the entries are right was checked at synth.
 */
import { noManifest } from '../app/app-manifest.ts';
import { lazy } from '../../base/lazy.ts';
import type { FullSweepReport, Beat as WholeBeat } from '../../beat/beat.ts';
import type { BeatEntry } from '../../beat/entry.ts';
import type { BeatPlan } from '../../beat/plan.ts';
import type { ScheduleBook } from '../../beat/schedules.ts';
import type { SweepOptions } from '../../beat/sweep.ts';
import type { Ports } from '../../ports/ports.ts';
import type { App } from '../../producer/app.ts';

export class Beat implements Pick<WholeBeat, 'book' | 'declare' | 'plans' | 'sweep'> {
  readonly book: ScheduleBook;
  readonly #app: App;
  readonly #declared: Readonly<Record<string, BeatEntry>>[] = [];
  #loading: Promise<WholeBeat> | undefined;

  constructor(app: App) {
    this.#app = app;
    this.book = lazy('app.schedules', async () => (await this.#loaded()).book);
  }

  declare(entries: Readonly<Record<string, BeatEntry>>): void {
    this.#declared.push(entries);
    // The next to ask gets one that knows them.
    this.#loading = undefined;
  }

  plans(): readonly BeatPlan[] {
    return noManifest();
  }

  async sweep(ports: Ports, options: SweepOptions = {}): Promise<FullSweepReport> {
    return (await this.#loaded()).sweep(ports, options);
  }

  #loaded(): Promise<WholeBeat> {
    return (this.#loading ??= this.#load());
  }

  async #load(): Promise<WholeBeat> {
    const { Beat: Whole } = await import('../../beat/beat.ts');
    const beat = new Whole(this.#app);
    for (const entries of this.#declared) beat.declare(entries);
    return beat;
  }
}
