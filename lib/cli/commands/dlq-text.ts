/** What `celeriac dlq` shows to people. */
import type { OpenedLetter } from '../../operate/dead-letter-book.ts';
import type { LetterGroup } from '../../operate/group-letters.ts';
import type { DeadLetter } from '../../operate/letter.ts';
import type { RedriveProgress, RedriveReport } from '../../operate/letter-report.ts';
import { counted, instant, json } from '../format.ts';
import { type Column, type Output, printable } from '../output.ts';
import type { CommonOptions, Tools } from '../tools.ts';

export const GROUP_COLUMNS = (now: () => number, options: CommonOptions): readonly Column<LetterGroup & Row>[] => [
  { head: 'QUEUE', of: ({ queue }) => queue },
  { head: 'COUNT', of: ({ count }) => count, right: true, style: () => 'red' },
  { head: 'TASK', of: ({ task }) => task ?? '–' },
  { head: 'ERROR', of: ({ error, reason }) => shortened(error === '' ? reason : error) },
  { head: 'FIRST', of: ({ firstAt }) => instant(firstAt, now(), options) },
  { head: 'LAST', of: ({ lastAt }) => instant(lastAt, now(), options) },
  { head: 'GROUP', of: ({ fingerprint }) => fingerprint },
];
export const LETTER_COLUMNS = (now: () => number, options: CommonOptions): readonly Column<DeadLetter & Row>[] => [
  { head: 'ID', of: ({ id }) => id ?? '–' },
  { head: 'QUEUE', of: ({ queue }) => queue },
  { head: 'TASK', of: ({ task }) => task ?? '–' },
  { head: 'ERROR', of: ({ error, reason }) => shortened(error === '' ? reason : error) },
  { head: 'AT', of: ({ failedAt }) => instant(failedAt, now(), options) },
];
type Row = Readonly<Record<string, unknown>>;
const LONGEST_ERROR_CHARACTERS = 60;

function shortened(text: string): string {
  return text.length <= LONGEST_ERROR_CHARACTERS ? text : `${text.slice(0, LONGEST_ERROR_CHARACTERS - 1)}…`;
}

export function textOf(letter: OpenedLetter, options: CommonOptions, { terminal }: Tools): string {
  const { id = '–', task = '–', retries, originQueue, reason, error, failedAt, deliveries, args, kwargs } = letter;
  return [
    `${terminal.style('bold', printable(task))}  ${printable(id)}`,
    `  ${terminal.style('red', printable(error))}`,
    `  reason      ${printable(reason)}`,
    `  put aside   ${instant(failedAt, terminal.clock.nowMs(), options)}, from ${printable(originQueue)}, delivered ${counted(deliveries, 'time')}`,
    `  attempt     ${retries ?? '–'}`,
    `  args        ${args === undefined ? 'cannot be read' : printable(json(args))}`,
    `  kwargs      ${kwargs === undefined ? 'cannot be read' : printable(json(kwargs))}`,
    `  group       ${letter.fingerprint}`,
  ].join('\n');
}

export function tasksOf({ tasks }: RedriveReport): string {
  const names = Object.entries(tasks).toSorted(([, left], [, right]) => right - left);
  const [first, second, ...rest] = names.map(
    ([name, count]) => `${count} of ${name === '' ? 'what cannot be read' : name}`,
  );
  return printable(
    [first, second, rest.length === 0 ? undefined : `${rest.length} tasks more`].filter(Boolean).join(', '),
  );
}

export function told(report: RedriveReport, output: Output, done: string): void {
  const { sent, settled, superseded, expired, running, failed, dropped, failures, complete } = report;
  output.show({ ...report }, () =>
    [
      `${sent + dropped} ${done}`,
      settled > 0 ? `${settled} had ended otherwise` : '',
      superseded > 0 ? `${superseded} had run since` : '',
      expired > 0 ? `${expired} stay, expired: --ignore-expires` : '',
      running > 0 ? `${running} stay, running at the moment` : '',
      `${failed} failed`,
      complete ? '' : 'ended early',
    ]
      .filter((part) => part !== '')
      .join(', '),
  );
  for (const { id, messageId, error } of failures) output.say(printable(`${id ?? messageId}: ${error}`));
}

const BAR_CHARACTERS = 28;

/** For people who see it: one line, again and again. */
export function progress(total: number, output: Output, { terminal }: Tools): (progress: RedriveProgress) => void {
  let shownAtMs = 0;
  return ({ matched, sent }) => {
    const nowMs = terminal.clock.nowMs();
    if (!terminal.isInteractive || output.json || nowMs - shownAtMs < 1000) return;
    shownAtMs = nowMs;
    const filled = Math.min(BAR_CHARACTERS, Math.round((matched / Math.max(1, total)) * BAR_CHARACTERS));
    output.say(`  ${'█'.repeat(filled)}${'░'.repeat(BAR_CHARACTERS - filled)} ${sent} of ${total}`);
  };
}
