import type * as Whole from '../../aws/rare-ports.ts';
import { lazy, once } from '../../base/lazy.ts';
import { onDemand } from '../on-demand.ts';

/** One way for all of them: what a worker starts with is counted by the byte. */
function rare<Options, Port extends object>(
  name: string,
  over: (whole: typeof Whole) => (options: Options) => Port,
): (options: Options) => Port {
  return (options) =>
    lazy(
      name,
      once(async () => over(await onDemand())(options)),
    );
}

export const timersOver: typeof Whole.timersOver = rare('timers', (whole) => whole.timersOver);
export const schedulesOver: typeof Whole.schedulesOver = rare('schedules', (whole) => whole.schedulesOver);
export const groupsOver: typeof Whole.groupsOver = rare('groups', (whole) => whole.groupsOver);
export const celeryGroupsOver: typeof Whole.celeryGroupsOver = rare('celeryGroups', (whole) => whole.celeryGroupsOver);
export const marksOver: typeof Whole.marksOver = rare('marks', (whole) => whole.marksOver);
export const ratesOver: typeof Whole.ratesOver = rare('rates', (whole) => whole.ratesOver);
export const slotsOver: typeof Whole.slotsOver = rare('slots', (whole) => whole.slotsOver);
export const pausesOver: typeof Whole.pausesOver = rare('pauses', (whole) => whole.pausesOver);
export const locksOver: typeof Whole.locksOver = rare('locks', (whole) => whole.locksOver);
export const blobsOver: typeof Whole.blobsOver = rare('blobs', (whole) => whole.blobsOver);
export const deadLettersOver: typeof Whole.deadLettersOver = rare('deadLetters', (whole) => whole.deadLettersOver);
export const rulesOver: typeof Whole.rulesOver = rare('rules', (whole) => whole.rulesOver);

export const notifyOver: typeof Whole.notifyOver = (options) =>
  once(async () => (await onDemand()).notifyOver(options)());
