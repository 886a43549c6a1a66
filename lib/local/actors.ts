/**
 * Who sends a request to a server of the embedded cloud. On AWS each function has a role of its own; here it has an
 * access key of its own, and a server reads from a request's signature which function sent it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** The key of whoever may do everything: of `cloud.sqs` and `cloud.dynamodb`, which belong to no function. */
export const OPERATOR = 'local';
/** The key of what the app's own process calls outside of every function: that of an API handler. */
export const CALLER = 'caller';
export const SWEEPER = 'sweeper';
/** The key of EventBridge's rules. */
export const RULES = 'rules';

const WORKER = 'worker.';

/** The key of the function that works on a queue. */
export function workerOf(queue: string): string {
  return `${WORKER}${encodeURIComponent(queue)}`;
}

/** The queue of a worker's key; undefined for the key of anybody else. */
export function queueOf(actor: string): string | undefined {
  return actor.startsWith(WORKER) ? decodeURIComponent(actor.slice(WORKER.length)) : undefined;
}

const acting = new AsyncLocalStorage<string>();

/** Whatever `run` calls, and whatever follows from it, is signed with this key. */
export function actAs<T>(actor: string, run: () => T): T {
  return acting.run(actor, run);
}

/** Of whoever makes the request, for clients that ask each time. */
export function actorCredentials(): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }> {
  return Promise.resolve({ accessKeyId: acting.getStore() ?? CALLER, secretAccessKey: OPERATOR });
}

interface SignedRequest {
  readonly headers: Record<string, string>;
}
type Next = (args: { readonly request: SignedRequest }) => Promise<unknown>;

/** The same client, whose requests bear the key of whoever makes them: an SDK asks for its credentials only once. */
export function signedByActor<C extends { readonly middlewareStack: unknown }>(client: C, outside: string = CALLER): C {
  const stack = client.middlewareStack as { add(middleware: unknown, options: object): void };
  const middleware =
    (next: Next): Next =>
    (args) => {
      const { headers } = args.request;
      const actor = acting.getStore() ?? outside;
      // Emulators know no secrets: a signature stays good when the key in front of it is another.
      headers['authorization'] = (headers['authorization'] ?? '').replace(
        /Credential=[^/]*/,
        () => `Credential=${actor}`,
      );
      return next(args);
    };
  stack.add(middleware, { step: 'finalizeRequest', priority: 'low', name: 'celeriacActor', override: true });
  return client;
}
