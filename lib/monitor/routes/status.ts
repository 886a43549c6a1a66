/** `/tasks/{id}/status` as Celery's own status address answers: for pages that wait for a task. */
import { isFinal } from '../../base/states.ts';
import type { MonitoredService } from '../service.ts';
import { type StatusAnswer, statusAnswerOf } from '../../operate/task-status.ts';
import { taskSummaries } from '../../operate/task-summary.ts';
import { cut } from '../../base/error-text.ts';
import { jsonText } from '../json-text.ts';

const RESULT_CHARACTERS = 1024;

export async function statusAnswer(id: string, { app, showValues }: MonitoredService): Promise<StatusAnswer> {
  const [summary] = await taskSummaries([id], await app.ports());
  return statusAnswerOf(id, summary, {
    errors: true,
    result: (result, status) => {
      const text = jsonText(result);
      // Progress is meant for who looks.
      return showValues || !isFinal(status) || text.length <= RESULT_CHARACTERS ? result : cut(text, RESULT_CHARACTERS);
    },
  });
}
