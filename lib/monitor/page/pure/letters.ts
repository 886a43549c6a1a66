/** What became of dead letters, in one sentence. Pure. */
import type { DeadLettersAnswer, LettersReport } from '../../answers.ts';
import { count, counted } from './words.ts';

type Told = Pick<
  LettersReport,
  'sent' | 'settled' | 'superseded' | 'dropped' | 'expired' | 'running' | 'failed' | 'complete'
>;

/** Numbers of nothing are left out. */
export function reportText(report: Told): string {
  const parts = [
    part(report.sent, 'sent back'),
    part(report.settled, 'settled, since their results stood'),
    part(report.superseded, 'dropped, since a newer one was there'),
    part(report.dropped, 'dropped'),
    part(report.expired, 'left: their time is over'),
    part(report.running, 'left: they run'),
    part(report.failed, 'could not be sent'),
  ].filter((text) => text !== '');
  const first = parts.length === 0 ? 'No letter was found' : parts.join(', ');
  return report.complete ? `${first}.` : `${first}. There are more.`;
}

function part(value: number, what: string): string {
  return value === 0 ? '' : `${count(value)} ${what}`;
}

/** `5 a second (9 s in all)`. */
export function paceText(perSecond: number, letters: number): string {
  const seconds = Math.ceil(letters / perSecond);
  return `${count(perSecond)} a second (${seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`} in all)`;
}

export function lettersText(value: number): string {
  return counted(value, 'letter');
}

/** Letters that have been done with: those of a group, or of tasks. */
export type Gone = { readonly queue: string; readonly fingerprint: string } | { readonly ids: readonly string[] };

/** What was listed, without them: looking again would hide all others for seconds from who acts next. */
export function withoutLetters(list: DeadLettersAnswer, gone: Gone): DeadLettersAnswer {
  const isGone = (letter: DeadLettersAnswer['letters'][number]): boolean =>
    'ids' in gone
      ? letter.id !== undefined && gone.ids.includes(letter.id)
      : letter.queue === gone.queue && letter.fingerprint === gone.fingerprint;
  const groups = list.groups.flatMap((group) => {
    const isOfGroup = (letter: { readonly queue: string; readonly fingerprint: string }): boolean =>
      letter.queue === group.queue && letter.fingerprint === group.fingerprint;
    const fewer = 'ids' in gone ? list.letters.filter((each) => isOfGroup(each) && isGone(each)).length : 0;
    const count = !('ids' in gone) && isOfGroup(gone) ? 0 : group.count - fewer;
    const ids = 'ids' in gone ? group.ids.filter((id) => !gone.ids.includes(id)) : group.ids;
    return count <= 0 ? [] : [{ ...group, count, ids }];
  });
  return { ...list, groups, letters: list.letters.filter((letter) => !isGone(letter)) };
}

/** Of one request behind another. */
export function summed(before: LettersReport, next: LettersReport): LettersReport {
  const sum = (field: 'looked' | 'matched' | 'sent' | 'settled' | 'superseded' | 'dropped') =>
    before[field] + next[field];
  return {
    ...next,
    looked: sum('looked'),
    matched: sum('matched'),
    sent: sum('sent'),
    settled: sum('settled'),
    superseded: sum('superseded'),
    dropped: sum('dropped'),
    // What was left is met again: the last count holds.
  };
}
