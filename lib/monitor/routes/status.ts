/** `/tasks/{id}/status` as Celery's own status address answers: for pages that wait for a task. */
import { isFinal } from '../../base/states.ts';
import type { MonitoredService } from '../service.ts';
import { taskSummaries } from '../../operate/task-summary.ts';
import { cut } from '../../base/error-text.ts';
import { jsonText } from '../json-text.ts';

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

const RESULT_CHARACTERS = 1024;

export async function statusAnswer(id: string, { app, showValues }: MonitoredService): Promise<StatusAnswer> {
  const [summary] = await taskSummaries([id], await app.ports());
  const { state: status = 'PENDING', result = null, error, traceback } = summary ?? {};
  if (error !== undefined) {
    const text = `${error.type}: ${error.message}`;
    return { task: { id, status, result: text, ...(traceback === undefined ? {} : { traceback }) } };
  }
  const text = jsonText(result);
  // Progress is meant for who looks.
  const isShown = showValues || !isFinal(status) || text.length <= RESULT_CHARACTERS;
  return { task: { id, status, result: isShown ? result : cut(text, RESULT_CHARACTERS) } };
}
