/** One task's state in a sentence. Pure. */
import type { TaskAnswer } from '../../answers.ts';
import { counted, duration, instant } from './words.ts';

export interface Sentence {
  readonly tone: 'idle' | 'warn' | 'bad' | 'ok' | 'run';
  readonly text: string;
  readonly more?: string;
}

type Told = Pick<TaskAnswer, 'state' | 'isKnown' | 'started' | 'error' | 'revoked'> & {
  readonly story: Pick<NonNullable<TaskAnswer['story']>, 'attempts' | 'deadLetter' | 'deliveries'> | null;
};

export function sentenceOf(task: Told, nowMs: number): Sentence {
  if (!task.isKnown)
    return {
      tone: 'idle',
      text: 'Nothing is stored of this task.',
      more: 'It waits in its queue and has never run, its result has expired, or it was never sent.',
    };
  const tries = task.story?.attempts.length ?? 0;
  const error = task.error === null ? '' : ` ${task.error.type}: ${task.error.message}`;
  if (task.story?.deadLetter != null)
    return {
      tone: 'bad',
      text: `It gave up after ${counted(Math.max(1, tries), 'attempt')}.${error}`,
      more: `It lies in the dead letters: ${task.story.deadLetter}`,
    };
  return ofState(task, tries, error, nowMs);
}

function ofState(task: Told, tries: number, error: string, nowMs: number): Sentence {
  const attempts = counted(Math.max(1, tries), 'attempt');
  const last = task.story?.attempts.at(-1);
  switch (task.state) {
    case 'SUCCESS':
      return { tone: 'ok', text: tries > 1 ? `It succeeded at the ${ordinal(tries)} attempt.` : 'It succeeded.' };
    case 'FAILURE':
    case 'REJECTED':
      return {
        tone: 'bad',
        text: `It ${task.state === 'FAILURE' ? 'failed' : 'was rejected'} after ${attempts}.${error}`,
      };
    case 'RETRY':
      return {
        tone: 'warn',
        text: `It will be tried again, for the ${ordinal(tries + 1)} time.`,
        ...(last?.error == null ? {} : { more: last.error }),
      };
    case 'STARTED':
    case 'PROGRESS':
      return {
        tone: 'run',
        text: `It runs${task.started === null ? '' : `, for ${duration((nowMs - instant(task.started)) / 1000)} so far`}.`,
        ...((task.story?.deliveries ?? 1) > 1
          ? { more: `Its message was delivered ${task.story?.deliveries} times: a worker before may have been lost.` }
          : {}),
      };
    case 'REVOKED':
      return { tone: 'idle', text: 'It was revoked: it does not start.' };
    case 'IGNORED':
      return { tone: 'idle', text: 'It was ignored: another one stood for it.' };
    case 'PENDING':
      return { tone: 'idle', text: 'It waits to be run.' };
    default:
      return { tone: 'idle', text: `Its state is ${task.state}.` };
  }
}

export function ordinal(value: number): string {
  const rule = new Intl.PluralRules('en', { type: 'ordinal' }).select(value);
  return `${value}${{ one: 'st', two: 'nd', few: 'rd', other: 'th', zero: 'th', many: 'th' }[rule]}`;
}

/** A line of a stack, and whose code it is. */
export interface StackLine {
  readonly text: string;
  readonly kind: 'message' | 'own' | 'library';
}

const MOST_LINES = 200;

/** Frames of the app stand out, those of Node and of packages step back. */
export function stackLines(stack: string): readonly StackLine[] {
  return stack
    .split('\n')
    .slice(0, MOST_LINES)
    .map((text) => {
      if (!/^\s+at |^\s+File "/.test(text)) return { text, kind: 'message' };
      return { text, kind: /node:|node_modules|site-packages|<anonymous>$/.test(text) ? 'library' : 'own' };
    });
}
