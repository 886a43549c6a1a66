/** Any signature run in the caller, at once, in order. */
import { errorMessage } from '../base/error-text.ts';
import type { ApplyOptions } from '../options/apply-options.ts';
import { applyPartial, type Signature, withParts } from '../wire/signature.ts';
import { chainSteps, chordParts, chunksGroup, givenId, groupMembers, kindOf, withOptions } from '../canvas/build.ts';
import { withCallOptions } from '../canvas/call-options.ts';
import { bodyOf, errbacksOf, nodeOf, ownId, ownMemberId } from '../canvas/compile.ts';
import { ChordError, ImproperlyConfigured, InvalidSignature } from '../base/errors.ts';
import { GroupResult } from '../results/group-result.ts';
import { prepareSignature, type Producer } from '../producer/producer.ts';
import { EagerResult } from '../results/eager-result.ts';
import type { AsyncResult } from '../results/result.ts';
import { FAILURE, SUCCESS } from '../base/states.ts';

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

  override async *iterate(
    options: { readonly propagate?: boolean } = {},
  ): AsyncGenerator<{ readonly index: number; readonly value: R[number] }> {
    for (const [index, member] of this.#members.entries()) yield { index, value: await member.get(options) };
  }

  /** Too late: they have run. */
  override revoke(): Promise<void> {
    return Promise.resolve();
  }

  override forget(): Promise<void> {
    return Promise.resolve();
  }
}

export async function runSignature(
  producer: Producer,
  sig: Signature,
  options: ApplyOptions = {},
): Promise<AsyncResult | GroupResult> {
  const whole = withCallOptions(sig, options);
  return run(producer, whole, options.taskId ?? givenId(sig) ?? producer.ids.next(), []);
}

type Outcome = AsyncResult | GroupResult;

async function run(producer: Producer, sig: Signature, id: string, given: readonly unknown[]): Promise<Outcome> {
  const sent = sig.immutable && sig.subtask_type !== null ? [] : given;
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
  const whole = withParts(sig, { args: applyPartial(sig, sent), options: { ...sig.options, task_id: id } });
  const { message } = await prepareSignature(producer, whole);
  return new EagerResult(id, await producer.runEager(message), producer);
}

async function runChain(producer: Producer, sig: Signature, id: string, sent: readonly unknown[]): Promise<Outcome> {
  const steps = chainSteps(sig);
  let given = sent;
  for (const [index, step] of steps.slice(0, -1).entries()) {
    const outcome = await run(producer, step, ownId(step, `${id}:step:${index}`), given);
    // As with workers: what follows a failure never runs, and has its error.
    if (!(await outcome.successful())) return failedAs(producer, sig, id, await causeOf(outcome));
    given = [await outcome.get()];
  }
  const last = steps.at(-1);
  if (last === undefined) throw new InvalidSignature('A chain has no steps.');
  return run(producer, last, id, given);
}

async function causeOf(outcome: Outcome): Promise<unknown> {
  const error = outcome instanceof GroupResult ? undefined : await outcome.info();
  return error instanceof Error
    ? error
    : new ImproperlyConfigured('An earlier step of the chain raised Ignore, so there is no result to go on with.');
}

async function runGroup(
  producer: Producer,
  sig: Signature,
  id: string,
  sent: readonly unknown[],
): Promise<EagerGroupResult> {
  const results: AsyncResult[] = [];
  const members = groupMembers(sig);
  for (const [index, each] of members.entries()) {
    const member = withOptions(each, { group_id: id, group_index: index, celeriac: { size: members.length } });
    const outcome = await run(producer, member, ownMemberId(member, id, index), sent);
    results.push(outcome instanceof EagerGroupResult ? await joined(producer, outcome) : (outcome as AsyncResult));
  }
  return new EagerGroupResult(id, results, producer);
}

/** The end of a member's chain is a group: its results are one list. */
async function joined(producer: Producer, group: EagerGroupResult): Promise<AsyncResult> {
  const error = await chordErrorOf(group);
  return error === undefined ? valueAs(producer, group.id, await group.join()) : failure(producer, group.id, error);
}

async function runChord(producer: Producer, sig: Signature, id: string, sent: readonly unknown[]): Promise<Outcome> {
  const { header, policy } = chordParts(sig);
  const group = await runGroup(producer, header, ownId(header, `${id}:header`), sent);
  const body = bodyOf(sig, id);
  if (policy === 'settled') return run(producer, body, id, [await settled(group)]);
  const error = await chordErrorOf(group);
  if (error === undefined) return run(producer, body, id, [await group.join()]);
  for (const [index, { signature: errback, failedId }] of errbacksOf(body, id).entries())
    await run(producer, errback, ownId(errback, `${failedId}:errback:${index}`), [failedId]);
  return failedAs(producer, body, id, error);
}

/** Names the first member that failed. */
async function chordErrorOf(group: GroupResult): Promise<ChordError | undefined> {
  for (const member of group.results) {
    if (await member.successful()) continue;
    const error = await member.info();
    return error instanceof Error
      ? new ChordError(`Dependency ${member.id} raised ${error.name}('${errorMessage(error)}')`)
      : new ChordError(`Dependency ${member.id} ended without a result`);
  }
  return undefined;
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

/** A tree that did not run: each task of its result has the error. */
function failedAs(producer: Producer, sig: Signature, id: string, error: unknown): Outcome {
  const node = nodeOf(sig, id);
  return node.kind === 'task'
    ? failure(producer, id, error)
    : new EagerGroupResult(
        id,
        node.memberIds.map((memberId) => failure(producer, memberId, error)),
        producer,
      );
}

function failure(producer: Producer, id: string, error: unknown): AsyncResult {
  return new EagerResult(id, { state: FAILURE, value: undefined, error, traceback: null }, producer);
}

function valueAs(producer: Producer, id: string, value: unknown): AsyncResult {
  return new EagerResult(id, { state: SUCCESS, value, error: undefined, traceback: null }, producer);
}
