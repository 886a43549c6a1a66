/** Any signature run in the caller, at once, in order. */
import type { ApplyOptions } from './apply-options.ts';
import { applyPartial, type Signature, signature } from './signature.ts';
import { chainSteps, chordParts, chunksGroup, groupMembers, kindOf, merged, withOptions } from './canvas/build.ts';
import { bodyOf } from './canvas/compile.ts';
import { ChordError } from './errors.ts';
import { GroupResult } from './group-result.ts';
import { prepareSignature, type Producer } from './producer.ts';
import { type AsyncResult, EagerResult } from './result.ts';
import { toSignatureOptions } from './signature-options.ts';
import { FAILURE, SUCCESS } from './states.ts';
import { groupMemberId } from './group-parts.ts';

/** Results in memory, since nothing is stored. */
export class EagerGroupResult<R extends readonly unknown[] = readonly unknown[]> extends GroupResult<R> {
  readonly #members: readonly AsyncResult[];

  constructor(id: string, members: readonly AsyncResult[], producer: Producer) {
    super(
      id,
      members.map((member) => member.id),
      producer,
    );
    this.#members = members;
  }

  override get results(): AsyncResult<R[number]>[] {
    return this.#members as AsyncResult<R[number]>[];
  }

  override async progress(): Promise<{ total: number; done: number; failed: number }> {
    const states = await Promise.all(this.#members.map((member) => member.state()));
    const failed = states.filter((state) => state !== SUCCESS).length;
    return { total: states.length, done: states.length, failed };
  }

  override async join(options: { readonly propagate?: boolean } = {}): Promise<R> {
    const values: unknown[] = [];
    for (const member of this.#members) values.push(await member.get(options));
    return values as unknown as R;
  }
}

export async function runSignature(
  producer: Producer,
  sig: Signature,
  options: ApplyOptions = {},
): Promise<AsyncResult | GroupResult> {
  const { taskId, kwargs, retry: _retry, retryPolicy: _policy, ...rest } = options;
  const own = toSignatureOptions(rest);
  const whole = withOptions(kwargs === undefined ? sig : { ...sig, kwargs: { ...sig.kwargs, ...kwargs } }, {
    ...own,
    ...merged(sig.options, own),
  });
  const given = sig.options['task_id'];
  return run(producer, whole, taskId ?? (typeof given === 'string' ? given : producer.ids.next()), []);
}

type Outcome = AsyncResult | GroupResult;

async function run(producer: Producer, sig: Signature, id: string, sent: readonly unknown[]): Promise<Outcome> {
  switch (kindOf(sig)) {
    case 'chain':
      return runChain(producer, sig, id, sent);
    case 'chunks':
      return run(producer, chunksGroup(sig), id, sent);
    case 'group':
      return runGroup(producer, sig, id, sent);
    case 'chord':
      return runChord(producer, sig, id, sent);
    case 'map':
    case 'starmap':
    case 'task':
    default:
      return runOne(producer, sig, id, sent);
  }
}

async function runOne(producer: Producer, sig: Signature, id: string, sent: readonly unknown[]): Promise<AsyncResult> {
  const whole = signature(sig.task, {
    args: applyPartial(sig, sent),
    kwargs: sig.kwargs,
    options: { ...sig.options, task_id: id },
    immutable: sig.immutable,
    subtaskType: sig.subtask_type,
  });
  const { message } = await prepareSignature(producer, whole);
  return new EagerResult(id, await producer.runEager(message), producer);
}

async function runChain(producer: Producer, sig: Signature, id: string, sent: readonly unknown[]): Promise<Outcome> {
  const steps = chainSteps(sig);
  let given = sent;
  let outcome: Outcome | undefined;
  for (const [index, step] of steps.entries()) {
    const last = index === steps.length - 1;
    outcome = await run(producer, step, last ? id : producer.ids.next(), given);
    if (outcome instanceof GroupResult) return outcome;
    // As with workers: what follows a failure never runs, and has its error.
    if (!(await outcome.successful())) return failedAs(producer, id, await outcome.info());
    given = [await outcome.get()];
  }
  return outcome ?? failedAs(producer, id, new ChordError('a chain of nothing'));
}

async function runGroup(
  producer: Producer,
  sig: Signature,
  id: string,
  sent: readonly unknown[],
): Promise<EagerGroupResult> {
  const results: AsyncResult[] = [];
  for (const [index, member] of groupMembers(sig).entries()) {
    const outcome = await run(producer, member, groupMemberId(id, index), sent);
    results.push(outcome instanceof GroupResult ? await joined(producer, outcome) : outcome);
  }
  return new EagerGroupResult(id, results, producer);
}

/** The end of a member's chain is a group: its results are one list. */
async function joined(producer: Producer, group: GroupResult): Promise<AsyncResult> {
  return valueAs(producer, group.id, await group.join({ propagate: false }));
}

async function runChord(producer: Producer, sig: Signature, id: string, sent: readonly unknown[]): Promise<Outcome> {
  const { header, policy } = chordParts(sig);
  const group = await runGroup(producer, header, producer.ids.next(), sent);
  const body = bodyOf(sig, id);
  const { failed } = await group.progress();
  if (policy === 'settled') return run(producer, body, id, [await settled(group)]);
  if (failed === 0) return run(producer, body, id, [await group.join()]);
  for (const member of group.results) {
    if (await member.successful()) continue;
    const error = await member.info();
    const shown = error instanceof Error ? `${error.name}('${error.message}')` : String(error);
    return failedAs(producer, id, new ChordError(`Dependency ${member.id} raised ${shown}`));
  }
  return group;
}

async function settled(group: GroupResult): Promise<unknown[]> {
  return Promise.all(
    group.results.map(async (member) => {
      const status = await member.state();
      if (status === SUCCESS) return { status, value: await member.get() };
      const error = await member.info();
      return {
        status,
        error: error instanceof Error ? { type: error.name, message: error.message } : { type: status, message: '' },
      };
    }),
  );
}

function failedAs(producer: Producer, id: string, error: unknown): AsyncResult {
  return new EagerResult(id, { state: FAILURE, value: undefined, error, traceback: null }, producer);
}

function valueAs(producer: Producer, id: string, value: unknown): AsyncResult {
  return new EagerResult(id, { state: SUCCESS, value, error: undefined, traceback: null }, producer);
}
