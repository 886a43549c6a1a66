/** Flow control at its declaration: checked at once. In deployed functions its twin leaves that to who asks. */
import { InvalidOption } from '../base/errors.ts';
import { type DeclaredFlow, type FlowDefaults, type FlowOptions, givenFlow } from './flow-options.ts';
import { type GroupKey, groupIdOption } from './group-id.ts';
import type { TaskManifest } from './manifest.ts';
import { resolveRateLimit } from './rate-limit.ts';
import { resolveFlow } from './resolve-flow.ts';

export { checkedWebhook } from './webhook-options.ts';

type DeclaredOptions = FlowOptions & { readonly idempotent?: boolean };

/** Undefined for a task that starts whenever its message comes. @throws InvalidOption */
export function declareFlow(name: string, options: DeclaredOptions, defaults: FlowDefaults): DeclaredFlow | undefined {
  const declared = givenFlow(options, defaults);
  if (declared === undefined) return undefined;
  const flow = resolveFlow(name, declared.given);
  if (flow.maxParts !== undefined && options.idempotent === true)
    throw new InvalidOption(
      `maxParts of task '${name}': ${flow.maxParts} given with idempotent: true, which stores nothing to go on from. Give one of them.`,
    );
  if (Object.values(flow).every((part) => part === undefined)) return undefined;
  return { ...declared, resolved: () => flow };
}

/** @throws InvalidOption */
export function checkedGroupKey(value: unknown, field: string): GroupKey | undefined {
  return typeof value === 'function'
    ? (value as GroupKey)
    : groupIdOption(value, field, ", or a function of the task's arguments that gives text");
}

/** @throws InvalidOption */
export function checkFlowDefaults({ rateLimit }: FlowDefaults): void {
  resolveRateLimit(rateLimit, 'rateLimit');
}

/** What the stack is told of a task. */
export function flowManifest(
  flow: DeclaredFlow | undefined,
): Pick<TaskManifest, 'rateLimit' | 'concurrency' | 'oneInstance' | 'marked'> {
  const rateLimit = flow?.given.rateLimit ?? undefined;
  const concurrency = flow?.given.concurrency ?? undefined;
  return {
    ...(rateLimit === undefined
      ? {}
      : { rateLimit: String(typeof rateLimit === 'object' ? rateLimit.limit : rateLimit) }),
    ...(concurrency === undefined
      ? {}
      : { concurrency: typeof concurrency === 'object' ? concurrency.limit : concurrency }),
    ...(flow?.marked === true ? { marked: true } : {}),
    ...((flow?.given.oneInstance ?? false) === false ? {} : { oneInstance: true }),
  };
}
