/** Steps that will never run: each becomes FAILURE with the cause, so that nobody waits for it. */
import { tasksOf } from '../canvas/compile.ts';
import { errorLine } from '../base/error-text.ts';
import { CANVAS_WINDOW_MESSAGES } from '../base/limits.ts';
import type { Signature } from '../wire/signature.ts';
import { FAILURE } from '../base/states.ts';
import { concludeRequest } from './conclude-request.ts';
import { celeryMemberOfStep, countMember } from './celery-chord.ts';
import type { FailedStep, Settling } from './settling.ts';
import { markOfStep } from './group-marks.ts';
import { inWindows } from './windows.ts';

/** Concludes what has gathered in `settling`, and marks it where it is a member. */
export async function concludeSteps(settling: Settling): Promise<void> {
  for (const failed of settling.failed.splice(0)) {
    await inWindows(settling, `failed:${failed.id}`, tasksIn(failed), async ({ id, signature }) => {
      note(settling, failed, id, signature);
      if (settling.conclusions.size >= CANVAS_WINDOW_MESSAGES) await store(settling);
    });
  }
  await store(settling);
}

function note(settling: Settling, { cause }: FailedStep, id: string, step: Signature): void {
  const { parent, producer, ports } = settling;
  producer.eager?.errors.set(id, cause);
  const { queue } = step.options;
  const concluded = {
    id,
    task: step.task,
    queue: typeof queue === 'string' ? queue : producer.settings.defaultQueue,
    retries: 0,
    parentId: parent.id,
  };
  settling.conclusions.set(id, concludeRequest(concluded, FAILURE, { error: cause }, settling));
  const mark = markOfStep(step, id);
  if (mark !== undefined) settling.marks.push(mark);
  const member = celeryMemberOfStep(step, id);
  if (member !== undefined) settling.members.push(member);
  ports.logger.log('error', `Task ${step.task}[${id}] will not run: ${errorLine(cause)}`, {
    task: step.task,
    taskId: id,
    parentId: parent.id,
  });
}

async function store(settling: Settling): Promise<void> {
  const requests = [...settling.conclusions.values()];
  settling.conclusions.clear();
  if (requests.length > 0) await settling.ports.backend.conclude(requests);
  // Celery's workers read what is counted.
  for (const member of settling.members.splice(0)) await countMember(settling, member);
}

/** A composite that cannot be read is one step. */
function tasksIn({ signature, id }: FailedStep): ReturnType<typeof tasksOf> {
  try {
    return tasksOf(signature, id);
  } catch {
    return [{ id, signature }];
  }
}
