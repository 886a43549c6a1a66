import { CeleriacError } from '../base/errors.ts';

/** Real work of a task did not end within a World's `patienceMs`. The message names task, work and since when. */
export class WorldStalled extends CeleriacError {
  static readonly errorName: string = 'WorldStalled';
  static override readonly code: string = 'WORLD_STALLED';
}
