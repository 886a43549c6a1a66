/** Ports as one public call sees them: with a budget of time, and with errors of ours. A worker has neither: its deliveries come again. */
import type { Broker, SendOutcome } from '../ports/broker.ts';
import { CeleriacError } from '../base/errors.ts';
import { isPassing } from '../base/passing.ts';
import type { CallBudget } from './call-budget.ts';
import { type FailedRequest, operationalError } from './call-errors.ts';

/** The part of an SDK client that the adapters use. */
interface SdkClient {
  readonly config: { readonly region?: unknown };
  readonly send: unknown;
}
type Send = (command: object, options?: object) => Promise<unknown>;

interface Seen {
  operation: string;
  endpoint?: string;
  tries: number;
  last?: unknown;
}

/** What is known of a request beside its error. Kept apart from it: adapters look at the SDK's own errors. */
const REQUESTS = new WeakMap<object, FailedRequest>();

/** The same client, whose requests end with the budget and whose errors are remembered together with their requests. */
export function watched<C extends SdkClient>(client: C, service: string, budget: CallBudget | undefined): C {
  const real = client.send as Send;
  const send: Send = async (command, options) => {
    const seen: Seen = { operation: 'request', tries: 0 };
    observe(command, seen);
    try {
      if (budget === undefined) return await real.call(client, command, options);
      return await budget.run(async (abortSignal) => real.call(client, command, { ...options, abortSignal }));
    } catch (error) {
      if (typeof error === 'object' && error !== null)
        REQUESTS.set(error, { service, resource: resourceOf(command), ...(await reached(client, seen)) });
      throw error;
    }
  };
  return Object.create(client, { send: { value: send } }) as C;
}

/** Every try passes here on its way to the network: the SDK's retries are outside of it. */
function observe(command: object, seen: Seen): void {
  const { middlewareStack } = command as {
    middlewareStack: { add(middleware: unknown, options: object): void };
  };
  const middleware = (
    next: (args: unknown) => Promise<unknown>,
    { commandName }: { readonly commandName?: string },
  ) => {
    // The class has another name in a minified bundle.
    seen.operation = (commandName ?? '').replace(/Command$/, '');
    return async (args: { readonly request?: unknown }): Promise<unknown> => {
      seen.endpoint = originOf(args.request);
      try {
        return await next(args);
      } catch (error) {
        seen.tries += 1;
        seen.last = error;
        throw error;
      }
    };
  };
  middlewareStack.add(middleware, {
    step: 'finalizeRequest',
    priority: 'low',
    name: 'celeriacObserve',
    override: true,
  });
}

function originOf(request: unknown): string {
  const {
    protocol = '',
    hostname = '',
    port,
  } = (request ?? {}) as {
    readonly protocol?: string;
    readonly hostname?: string;
    readonly port?: number;
  };
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}

function resourceOf(command: object): string | undefined {
  const { input = {} } = command as { readonly input?: Readonly<Record<string, unknown>> };
  const { TableName: table, RequestItems: items, QueueUrl: url, Name: rule } = input;
  if (typeof url === 'string') return `queue ${url.slice(url.lastIndexOf('/') + 1)}`;
  const name = typeof table === 'string' ? table : Object.keys((items as object | undefined) ?? {})[0];
  if (name !== undefined) return `table ${name}`;
  return typeof rule === 'string' ? `rule ${rule}` : undefined;
}

async function reached(
  client: SdkClient,
  { operation, endpoint, tries, last }: Seen,
): Promise<Omit<FailedRequest, 'service' | 'resource'>> {
  let region: string | undefined;
  try {
    const given: unknown = await (client.config.region as (() => Promise<unknown>) | undefined)?.();
    if (typeof given === 'string') region = given;
  } catch {
    // That there is none may be the very error.
  }
  return { operation, endpoint, region, tries, last };
}

/** Errors of ours pass; every other one becomes an OperationalError with itself as the cause. */
function toCeleriacError(error: unknown): CeleriacError {
  if (CeleriacError.is(error)) return error;
  return operationalError(error, typeof error === 'object' && error !== null ? REQUESTS.get(error) : undefined);
}

/** The same port, which throws errors of ours alone. */
export function withCeleriacErrors<P extends object>(port: P): P {
  return new Proxy(port, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(member, target, args);
        if (!(answer instanceof Promise)) return answer;
        return answer.catch((error: unknown) => {
          throw toCeleriacError(error);
        });
      };
    },
  });
}

/** A broker reports on each message instead of throwing: the reports tell, too. */
export function brokerWithCeleriacErrors(broker: Broker): Broker {
  const port = withCeleriacErrors(broker);
  return {
    send: async (items) => (await port.send(items)).map(withCeleriacCause),
    changeVisibility: (queue, receipt, delaySeconds) => port.changeVisibility(queue, receipt, delaySeconds),
  };
}

function withCeleriacCause(outcome: SendOutcome): SendOutcome {
  if (outcome.ok || outcome.cause === undefined) return outcome;
  const cause = toCeleriacError(outcome.cause);
  return { ...outcome, message: cause.message, cause, retryable: isPassing(cause) };
}
