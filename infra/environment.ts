/** What functions are told of their services: one variable for each service, so that one function may be granted by several. */
import { Annotations, Stack } from 'aws-cdk-lib';
import type { Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { packTaskNames } from '../lib/base/task-names.ts';
import { InvalidOption } from '../lib/base/errors.ts';
import { LAMBDA_MAX_ENVIRONMENT_BYTES, MAX_TASK_NAMES_BYTES } from '../lib/base/limits.ts';
import type { NotifyTold } from '../lib/options/manifest.ts';
import { compactFields, type ServiceFields, serviceVariable } from '../lib/options/service-variable.ts';
import { sizesOf } from './variable-sizes.ts';

/** What a service tells; values may hold tokens. */
export interface ServiceFacts extends Omit<ServiceFields, 'deadLetterQueues' | 'rulePrefix' | 'tasks'> {
  /** Queues into whose dead-letter queues somebody may reject, by Celery's name. */
  readonly deadLetterQueues: Readonly<Record<string, IQueue>>;
  readonly rulePrefix: string | undefined;
  /** Names of all tasks, for senders without their code. */
  readonly taskNames: readonly string[];
}

/** What one function needs of it besides what every sender does. */
export interface ToldParts {
  /** Queues into whose dead-letter queues it rejects. */
  readonly rejectable?: readonly string[];
  /** Whether it switches rules. */
  readonly rules?: boolean;
  /** Who is told of failures. */
  readonly notify?: NotifyTold | undefined;
}

// Variables of each function, by name; those of all services together have to fit.
const told = new WeakMap<LambdaFn, Map<string, { readonly by: ServiceEnvironment; readonly parts: ToldParts }>>();

export class ServiceEnvironment {
  readonly #scope: Construct;
  readonly #facts: ServiceFacts;
  readonly #packedNames: string;

  /** @throws InvalidOption when what its own functions are told does not fit what Lambda takes. */
  constructor(scope: Construct, facts: ServiceFacts) {
    this.#scope = scope;
    this.#facts = facts;
    this.#packedNames = packTaskNames(facts.taskNames);
    refuseTwin(scope, facts.app);
    const bytes = this.bytes({ rejectable: Object.keys(facts.deadLetterQueues), rules: true });
    if (bytes > LAMBDA_MAX_ENVIRONMENT_BYTES) {
      const elsewhere = Object.keys(facts.taskQueues ?? {}).length;
      throw new InvalidOption(
        `The environment of the functions takes about ${bytes} bytes (${Object.keys(facts.queues).length} queues, ${elsewhere} tasks on other queues than '${facts.defaultQueue}'); Lambda takes ${LAMBDA_MAX_ENVIRONMENT_BYTES}. Use fewer queues, or make the queue with most tasks the default one.`,
      );
    }
    if (this.namesFit(LAMBDA_MAX_ENVIRONMENT_BYTES - bytes)) return;
    Annotations.of(scope).addInfoV2(
      'celeriac:taskNames',
      `The names of ${facts.taskNames.length} tasks take ${this.#packedNames.length} bytes, too many of a function's variables, and are left out: a caller's misspelt name is told by the worker, not at the call.`,
    );
  }

  /** The variable's name. */
  get name(): string {
    return serviceVariable(this.#facts.app);
  }

  /** Whether some task is unique, throttled or debounced. */
  get marked(): boolean {
    return (this.#facts.markedTasks ?? []).length > 0;
  }

  /** The app's name. */
  get app(): string {
    return this.#facts.app;
  }

  /** For whatever is no Lambda function: a container, say. */
  variables(parts: ToldParts = {}): Record<string, string> {
    const names = this.namesFit(LAMBDA_MAX_ENVIRONMENT_BYTES - this.bytes(parts));
    return { [this.name]: this.text(parts, names) };
  }

  /**
   * Tells a function; what it was told of this service before it keeps.
   *
   * @throws InvalidOption where another service of this name has told it, or all together do not fit.
   */
  addTo(fn: LambdaFn, parts: ToldParts = {}): void {
    const services = told.get(fn) ?? new Map<string, { readonly by: ServiceEnvironment; readonly parts: ToldParts }>();
    told.set(fn, services);
    const before = services.get(this.name);
    if (before !== undefined && before.by !== this && !this.#isSame(before.by)) {
      throw new InvalidOption(
        `Function ${fn.node.path} was granted by two services whose variable is ${this.name}, of the apps '${before.by.app}' and '${this.app}': it could reach one of them only. Give one of the apps another name, or use two functions.`,
      );
    }
    services.set(this.name, { by: this, parts: union(before?.parts, parts) });
    fit(fn, services);
  }

  /** What a service tells in so many bytes, about: tokens become texts of this length on deploy. */
  bytes(parts: ToldParts): number {
    return this.name.length + estimatedBytes(this.fields(parts, false));
  }

  namesFit(bytesLeft: number): boolean {
    return this.#packedNames.length + NAMES_FIELD_BYTES <= Math.min(MAX_TASK_NAMES_BYTES, bytesLeft);
  }

  get namesBytes(): number {
    return this.#packedNames.length + NAMES_FIELD_BYTES;
  }

  text(parts: ToldParts, names: boolean): string {
    return Stack.of(this.#scope).toJsonString(this.fields(parts, names));
  }

  /** As data; `names` of the tasks take the most room. */
  fields(parts: ToldParts, names: boolean): ServiceFields {
    const { deadLetterQueues, rulePrefix, taskNames: _names, ...common } = this.#facts;
    const urls = (parts.rejectable ?? []).map((name) => [name, deadLetterQueues[name]?.queueUrl ?? ''] as const);
    return compactFields({
      ...common,
      deadLetterQueues: Object.fromEntries(urls),
      rulePrefix: parts.rules === true ? rulePrefix : undefined,
      notify: parts.notify,
      tasks: names ? this.#packedNames : undefined,
    });
  }

  /** The same service, imported twice say. */
  #isSame(other: ServiceEnvironment): boolean {
    const shown = ({ text }: { text: string }): string => JSON.stringify(Stack.of(this.#scope).resolve(text));
    return shown({ text: this.text({}, true) }) === shown({ text: other.text({}, true) });
  }
}

// A queue's URL, the longest of what tokens stand for, has about this many characters.
const TOKEN_CHARACTERS = 110;
const TOKEN = /\$\{Token\[[^\]]*\]\}/g;

/** What JSON takes once its tokens are known, about. */
export function estimatedBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value).replaceAll(TOKEN, 'x'.repeat(TOKEN_CHARACTERS)));
}

const NAMES_FIELD_BYTES = ',"tasks":""'.length;

function union(before: ToldParts = {}, added: ToldParts): ToldParts {
  return {
    rejectable: [...new Set([...(before.rejectable ?? []), ...(added.rejectable ?? [])])],
    rules: before.rules === true || added.rules === true,
    notify: added.notify ?? before.notify,
  };
}

/** Names of tasks are left out where what the user gave the function takes their room. */
export function makeRoom(fn: LambdaFn): void {
  const services = told.get(fn);
  if (services !== undefined) fit(fn, services);
}

/** Writes the variables of all services of a function; names of tasks only as far as there is room for them. */
function fit(
  fn: LambdaFn,
  services: ReadonlyMap<string, { readonly by: ServiceEnvironment; readonly parts: ToldParts }>,
): void {
  const all = [...services.values()];
  let bytesLeft = LAMBDA_MAX_ENVIRONMENT_BYTES - all.reduce((sum, { by, parts }) => sum + by.bytes(parts), 0);
  if (bytesLeft < 0) {
    throw new InvalidOption(
      `What function ${fn.node.path} is told of its services takes about ${LAMBDA_MAX_ENVIRONMENT_BYTES - bytesLeft} bytes (apps ${all.map(({ by }) => `'${by.app}'`).join(', ')}); Lambda takes ${LAMBDA_MAX_ENVIRONMENT_BYTES}. Use a function for each service, or fewer queues.`,
    );
  }
  for (const [name, bytes] of sizesOf(fn)) if (!services.has(name)) bytesLeft -= bytes;
  for (const { by, parts } of all) {
    const names = by.namesFit(bytesLeft);
    if (names) bytesLeft -= by.namesBytes;
    fn.addEnvironment(by.name, by.text(parts, names));
  }
}

// App names by variable, of each CDK app.
const owners = new WeakMap<object, Map<string, string>>();

/** @throws InvalidOption for two apps of one variable: whoever merges what `environment()` gives would lose one of them. */
function refuseTwin(scope: Construct, app: string): void {
  const variables = owners.get(scope.node.root) ?? new Map<string, string>();
  owners.set(scope.node.root, variables);
  const variable = serviceVariable(app);
  const other = variables.get(variable);
  if (other !== undefined && other !== app) {
    throw new InvalidOption(
      `Apps '${other}' and '${app}' of this CDK app would share the environment variable ${variable}. Rename one of them: letters in either case and all of '.', '_' and '-' count as the same.`,
    );
  }
  variables.set(variable, app);
}
