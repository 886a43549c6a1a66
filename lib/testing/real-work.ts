/**
 * Which real work a running task has begun: timers, files, sockets, threads, as Node's async hooks tell. Promises say
 * nothing about who will settle them; everything that can settle one from outside of JavaScript is a resource with a type.
 */
import { type AsyncHook, createHook } from 'node:async_hooks';

import { maybeCurrentTask } from '../task/context.ts';
import { CURRENT_INVOCATION, type RealWork, type SimulatedInvocation } from './simulated-invocation.ts';
import { realNowMs } from './real-time.ts';

/** What an invocation does, as far as it can be known: `asleep` is on the world's clock and on nothing else. */
export type Evidence = 'work' | 'perhaps' | 'asleep' | 'nothing';

interface TimeoutResource {
  readonly _idleTimeout?: number;
  readonly _repeat?: number | null;
}

// One callback ends each of these; the others live until they are closed.
const REQUEST = /REQ|REQUEST$|CONNECTWRAP$|QUERYWRAP$|WRITEWRAP$|SENDWRAP$|SHUTDOWNWRAP$|^Immediate$|^WORKER$/;
// Not among them: what only waits to be called (servers, watchers), open files, and what libraries make to keep a context.
const HANDLE = /^(Timeout|TCPWRAP|TLSWRAP|PIPEWRAP|UDPWRAP|PROCESSWRAP|MESSAGEPORT|ZLIB|BROTLI|ZSTD|HTTP2SESSION)$/;
const COMPRESSOR = /^(ZLIB|BROTLI|ZSTD)/;
const NOT_WORK = /^HTTPINCOMINGMESSAGE$|^HTTPCLIENTREQUEST$/;
/** Types of `process.getActiveResourcesInfo()` by which something from outside may come. */
const OUTSIDE = /^(TCPSocketWrap|TLSWrap|PipeWrap|UDPWrap|MessagePort|Worker|ProcessWrap|.*Req.*)$/;

const INVOCATION_OF_WORK = new Map<number, SimulatedInvocation>();
const LISTENERS = new Set<() => void>();
let users = 0;

const hook: AsyncHook = createHook({
  // Hooks on promises would slow every promise of the process down. Node before 24 does not know this option.
  trackPromises: false,
  init(id: number, type: string, _trigger: number, resource: object) {
    const invocation = isWork(type) ? CURRENT_INVOCATION.getStore() : undefined;
    if (invocation === undefined || invocation.dead) return;
    const owner = maybeCurrentTask() ?? invocation;
    invocation.work.set(id, { type, resource, owner, sinceMs: realNowMs() });
    INVOCATION_OF_WORK.set(id, invocation);
    // It was waiting for something real after all: the next silence counts from the beginning.
    if (!invocation.asleep.has(owner) && !isInterval(resource))
      Object.assign(invocation.waitedMs, { perhaps: 0, nothing: 0 });
  },
  after(id: number) {
    const invocation = INVOCATION_OF_WORK.get(id);
    const work = invocation?.work.get(id);
    if (work !== undefined && REQUEST.test(work.type)) ended(id);
  },
  destroy: ended,
});

function isWork(type: string): boolean {
  return (REQUEST.test(type) || HANDLE.test(type)) && !NOT_WORK.test(type);
}

function isInterval(resource: object): boolean {
  return typeof (resource as TimeoutResource)._repeat === 'number';
}

function ended(id: number): void {
  const invocation = INVOCATION_OF_WORK.get(id);
  if (invocation === undefined) return;
  INVOCATION_OF_WORK.delete(id);
  invocation.work.delete(id);
  for (const listener of LISTENERS) listener();
}

/** Watches until the returned function is called; `listener` hears of each piece of real work that ends. */
export function watchRealWork(listener: () => void): () => void {
  LISTENERS.add(listener);
  users += 1;
  if (users === 1) hook.enable();
  return () => {
    if (!LISTENERS.delete(listener)) return;
    users -= 1;
    if (users === 0) hook.disable();
  };
}

/** Its work is nobody's any more. */
export function forgetWorkOf(invocation: SimulatedInvocation): void {
  for (const id of invocation.work.keys()) INVOCATION_OF_WORK.delete(id);
  invocation.work.clear();
}

/** `patienceMs`: nobody waits for a timer that is longer, so it is taken for a guard. */
export function evidenceOf(invocation: SimulatedInvocation, patienceMs: number): Evidence {
  let perhaps = false;
  for (const work of invocation.work.values()) {
    const sure = certainty(work, patienceMs);
    if (sure === 'work' && !invocation.asleep.has(work.owner)) return 'work';
    if (sure !== 'nothing') perhaps = true;
  }
  if (perhaps) return 'perhaps';
  if (invocation.asleep.size > 0) return 'asleep';
  return outsideMayAnswer() ? 'perhaps' : 'nothing';
}

function certainty(work: RealWork, patienceMs: number): 'work' | 'perhaps' | 'nothing' {
  const { hasRef } = work.resource as { hasRef?: () => boolean };
  // What does not keep a process alive is not waited for: idle connections of a pool, timers that guard.
  if (typeof hasRef === 'function' && !hasRef.call(work.resource)) return 'nothing';
  // A compressor that was used at once lives on until it is collected; one at work for a callback holds what it reads.
  if (COMPRESSOR.test(work.type)) return (work.resource as { buffer?: unknown }).buffer ? 'work' : 'nothing';
  if (work.type !== 'Timeout') return 'work';
  if (isInterval(work.resource)) return 'perhaps';
  return ((work.resource as TimeoutResource)._idleTimeout ?? 0) > patienceMs ? 'nothing' : 'work';
}

/** What must end before time moves, in words. */
export function worksOf(invocation: SimulatedInvocation, patienceMs: number): RealWork[] {
  return [...invocation.work.values()].filter(
    (work) => certainty(work, patienceMs) === 'work' && !invocation.asleep.has(work.owner),
  );
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^FS|^FILE|^DIR/, 'a file'],
  [/^GETADDRINFO|^GETNAMEINFO|^QUERYWRAP/, 'a name lookup (DNS)'],
  [/^TCP|^TLS|^PIPE|^UDP|^HTTP|^WRITEWRAP|^SHUTDOWNWRAP/, 'a connection'],
  [/^WORKER|^MESSAGEPORT/, 'a thread'],
  [/^PROCESSWRAP/, 'a child process'],
];

export function wordsFor(work: RealWork): string {
  if (work.type === 'Timeout') return `a real timer of ${(work.resource as TimeoutResource)._idleTimeout ?? '?'} ms`;
  const words = WORDS.find(([pattern]) => pattern.test(work.type))?.[1];
  return words === undefined ? work.type : `${words} (${work.type})`;
}

function outsideNow(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo())
    if (OUTSIDE.test(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}

// What a test runner keeps open brings no answer to a task.
const ALWAYS_THERE: ReadonlyMap<string, number> = outsideNow();

/** Connections that were open before the task ran (a pool's) belong to no task, and may carry its answer. */
function outsideMayAnswer(): boolean {
  for (const [type, count] of outsideNow()) if (count > (ALWAYS_THERE.get(type) ?? 0)) return true;
  return false;
}
