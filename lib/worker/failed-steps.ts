/** Steps that will never run: each becomes FAILURE with the cause, so that nobody waits for it. */
import { tasksOf } from '../canvas/compile.ts';
import { errorLine } from '../base/error-text.ts';
import { CANVAS_WINDOW_MESSAGES } from '../base/limits.ts';
import type { Signature } from '../wire/signature.ts';
import { FAILURE } from '../base/states.ts';
import { concludeRequest } from './conclude-request.ts';
import type { ConcludeRequest } from '../ports/backend.ts';
import type { Waiting } from './followers.ts';
import { celeryMemberOf, markOf, membershipOfStep } from './membership.ts';
import type { Settling } from './settling.ts';
import { inWindows } from './windows.ts';

type FailedStep = Extract<Waiting, { readonly kind: 'failed step' }>;

/** Concludes what has gathered in `settling`, and marks it where it is a member. */
export async function concludeSteps(settling: Settling): Promise<void> {
  const { pending } = settling;
  for (const failed of pending.take('failed step')) {
    await inWindows(settling, `failed:${failed.id}`, tasksIn(failed), async ({ id, signature }) => {
      note(settling, failed, id, signature);
      if (pending.count('conclusion') >= CANVAS_WINDOW_MESSAGES) await store(settling);
    });
  }
  await store(settling);
}

type Concluding = Pick<Settling, 'parent' | 'app' | 'ports'>;

/** Of the first task of a tree: it is sent before the others. */
export function firstConclusion(failed: FailedStep, concluding: Concluding): ConcludeRequest | undefined {
  const [first] = tasksIn(failed);
  return first === undefined ? undefined : conclusionOf(failed, first.id, first.signature, concluding);
}

function conclusionOf(
  { cause }: FailedStep,
  id: string,
  { task, options }: Signature,
  { parent, app, ports }: Concluding,
): ConcludeRequest {
  const queue = typeof options['queue'] === 'string' ? options['queue'] : app.settings.defaultQueue;
  const concluded = { id, task, queue, retries: 0, parentId: parent.id };
  return concludeRequest(concluded, FAILURE, { error: cause }, { ports, app });
}

function note(settling: Settling, failed: FailedStep, id: string, step: Signature): void {
  const { parent, app, ports, pending } = settling;
  const { cause } = failed;
  const { task } = step;
  app.eager?.errors.set(id, cause);
  const membership = failed.told ? undefined : membershipOfStep(step, id);
  const request = conclusionOf(failed, id, step, settling);
  pending.add({ kind: 'conclusion', request, member: membership && celeryMemberOf(membership) });
  const mark = membership && markOf(membership, true);
  if (mark !== undefined) pending.add({ kind: 'mark', mark });
  ports.logger.log('error', `Task ${task}[${id}] will not run: ${errorLine(cause)}`, {
    task,
    taskId: id,
    parentId: parent.id,
  });
}

async function store({ pending, ports, follow, storeConcluded }: Settling): Promise<void> {
  const conclusions = pending.take('conclusion');
  if (conclusions.length === 0) return;
  // A tree may name one task twice.
  const requests = new Map(conclusions.map(({ request }) => [request.id, request]));
  const concluding = [...requests.values()];
  await storeConcluded(concluding, await ports.backend.conclude(concluding));
  // Celery's workers read what is counted.
  await follow(conclusions.flatMap(({ member }) => (member === undefined ? [] : [{ kind: 'member', member }])));
}

/** Whether any task of it is a member of a group that is counted. */
export function isMarked(failed: FailedStep): boolean {
  return tasksIn(failed).some(({ id, signature }) => {
    const membership = membershipOfStep(signature, id);
    return markOf(membership, true) !== undefined || celeryMemberOf(membership) !== undefined;
  });
}

/** A composite that cannot be read is one step. */
function tasksIn({ signature, id }: FailedStep): ReturnType<typeof tasksOf> {
  try {
    return tasksOf(signature, id);
  } catch {
    return [{ id, signature }];
  }
}
