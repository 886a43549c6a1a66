/** Dead letters sent back or dropped: asked for again until the work is done. */
import type { LettersReport } from '../../answers.ts';
import { tell } from '../parts/toast.tsx';
import { reportText, summed } from '../pure/letters.ts';
import { act } from './api.ts';
import { after } from './clock.ts';

// One request works for 20 s at most; an hour of them is somebody's mistake.
const MOST_REQUESTS = 180;
// A letter that somebody has looked at is hidden for half a minute: this page itself has, a moment ago.
const HIDDEN_MS = 3000;
const MOST_IDLE = 12;

/** Until as many are settled as the group had, or there are no more. */
export async function untilComplete(path: string, body: object, wanted: number): Promise<LettersReport> {
  let all = await act<LettersReport>(path, body);
  let idle = 0;
  for (let times = 1; times < MOST_REQUESTS && idle < MOST_IDLE && done(all) < wanted; times += 1) {
    if (all.complete && all.matched > 0) break;
    tell(
      `${reportText({ ...all, complete: true })} It goes on: letters that were looked at are hidden for half a minute.`,
    );
    if (done(all) === 0 || idle > 0) await later(HIDDEN_MS);
    const next = await act<LettersReport>(path, body);
    idle = done(next) === 0 ? idle + 1 : 0;
    all = summed(all, next);
  }
  return all;
}

/** Letters that lie there no more. */
export function done({ sent, settled, superseded, dropped }: LettersReport): number {
  return sent + settled + superseded + dropped;
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => void after(ms, resolve));
}
