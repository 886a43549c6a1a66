/** One task's state as Celery's own status address answers: for pages that wait for a task. */
import type { TaskSummary } from './task-summary.ts';

/** Celery's words, and its error as text. */
export interface StatusAnswer {
  readonly task: {
    readonly id: string;
    readonly status: string;
    /** What it returned, or the data of a state of its own; of a failure the text of its error. */
    readonly result: unknown;
    readonly traceback?: string;
  };
}

export interface StatusShown {
  /** What is shown of a result, or of a state's own data. */
  readonly result: (value: unknown, status: string) => unknown;
  /** Texts and stacks of errors; else their types alone. */
  readonly errors: boolean;
}

export function statusAnswerOf(id: string, summary: TaskSummary | undefined, shown: StatusShown): StatusAnswer {
  const { state: status = 'PENDING', result = null, error, traceback } = summary ?? {};
  if (error === undefined) return { task: { id, status, result: shown.result(result, status) } };
  if (!shown.errors) return { task: { id, status, result: error.type } };
  const text = `${error.type}: ${error.message}`;
  return { task: { id, status, result: text, ...(traceback === undefined ? {} : { traceback }) } };
}
