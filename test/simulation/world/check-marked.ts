/** What must be true of tasks that stand for a key, told by what their callers were told and when tasks were sent and ended. */
import type { Call, MarkedName } from './callers.ts';
import { MAX_WAIT_SECONDS, THROTTLE_SECONDS, UNIQUE_SECONDS, WAIT_SECONDS } from './callers.ts';
import { AFTERMATH_MS } from './check-time.ts';
import type { Ledger, Run } from './ledger.ts';

// A token's message comes by whole seconds, and sends another one.
const PUNCTUAL_MS = 3000;

interface Limits {
  /** How far clocks may differ. */
  readonly slackMs: number;
  readonly faultsEndMs: number;
  /** Nothing is in the way. */
  readonly punctual: boolean;
}

type Told = NonNullable<Call['told']>;
type Answered = Call & { readonly told: Told };

export function checkMarked(ledger: Ledger, calls: readonly Call[], limits: Limits): void {
  const lines = Map.groupBy(calls, ({ line }) => line);
  for (const [line, ofLine] of lines) {
    const [first] = ofLine;
    if (first === undefined) continue;
    checkTold(ledger, ofLine);
    if (first.name === 'debounced' || first.name === 'bounded') {
      checkEpisodes(ledger, ofLine, limits);
      for (const [id, joined] of Map.groupBy(ofLine.filter(isAnswered), ({ told }) => told.id))
        checkEpisode(ledger, id, joined, ofLine, limits);
    } else checkStanding(ledger, line, ofLine, limits);
  }
}

/** Who was called when all had ended, and by nobody that dies: its key is free, so that it runs. */
export function checkProbes(ledger: Ledger, probes: readonly Call[]): void {
  for (const { id, line, told } of probes)
    if (!ledger.runs.some((run) => callIn(run) === id))
      ledger.violate(
        'no key is blocked for ever',
        `${line}: the last call does not run; it was told ${told?.id ?? 'nothing'}`,
        told?.id,
      );
}

function isAnswered(call: Call): call is Answered {
  return call.told !== undefined;
}

/** Whose arguments a run has. */
function callIn(run: Run): string {
  return run.key.slice(0, run.key.lastIndexOf('@'));
}

function runsOf(ledger: Ledger, id: string): readonly Run[] {
  return ledger.runs.filter((run) => run.id === id);
}

/** Whoever is told an id is told that of a task of its line that ends. */
function checkTold(ledger: Ledger, ofLine: readonly Call[]): void {
  const ids = new Set(ofLine.map(({ id }) => id));
  for (const { id, told } of ofLine.filter(isAnswered)) {
    if (!ids.has(told.id))
      ledger.violate('who is told an id is told one of its key', `${id} was told ${told.id}`, told.id);
    if (ledger.facts.end(told.id) === undefined)
      ledger.violate('who is told an id has a task', `${id} was told ${told.id}, which was never run`, told.id);
    for (const run of runsOf(ledger, told.id))
      if (!ids.has(callIn(run))) ledger.violate('who is told an id is told one of its key', `${run.key} ran`, run.id);
  }
}

/** From when to when a task stands for its key at least. */
interface Stands {
  readonly call: Call;
  readonly fromMs: number;
  readonly untilMs: number;
  /** When it is known that it stands no longer. */
  readonly overMs: number;
  /** When its mark lapses at the earliest: whoever stood still for so long sends it all the same. */
  readonly lapsesMs: number;
}

function checkStanding(ledger: Ledger, line: string, ofLine: readonly Call[], { slackMs }: Limits): void {
  const stands = ofLine.flatMap((call) => {
    const one = standsOf(ledger, call, slackMs);
    return one === undefined ? [] : [one];
  });
  const inOrder = stands.toSorted((left, right) => left.fromMs - right.fromMs);
  for (const [index, { call, fromMs, untilMs }] of inOrder.entries())
    for (const later of inOrder.slice(index + 1))
      if (later.fromMs < untilMs && later.lapsesMs > fromMs)
        ledger.violate(
          'one of a key stands',
          `${line}: ${later.call.id} was sent at ${later.fromMs}, while ${call.id} stands until ${untilMs}`,
          later.call.id,
        );
  const byId = new Map(stands.map((each) => [each.call.id, each]));
  for (const { id, told, beganMs } of ofLine.filter(isAnswered)) {
    const overMs = byId.get(told.id)?.overMs ?? Infinity;
    if (told.duplicate && overMs < beganMs)
      ledger.violate(
        'a duplicate is one of a task that stands',
        `${id} at ${beganMs}; ${told.id} stood until ${overMs}`,
        id,
      );
    if (!told.duplicate && told.id !== id)
      ledger.violate('a duplicate is one of a task that stands', `${id} is told ${told.id} as its own`, id);
  }
}

const SECONDS: Readonly<Record<MarkedName, number>> = {
  unique: UNIQUE_SECONDS,
  started: UNIQUE_SECONDS,
  throttled: THROTTLE_SECONDS,
  debounced: 0,
  bounded: 0,
};

function standsOf({ facts }: Ledger, call: Call, slackMs: number): Stands | undefined {
  const sends = facts.sends(call.id);
  if (sends === undefined) return undefined;
  const { firstMs: fromMs } = sends;
  // Its mark was taken after its caller began.
  const lapsesMs = call.beganMs + (call.countdown + SECONDS[call.name]) * 1000 - slackMs;
  if (call.name === 'throttled') {
    const overMs = fromMs + (call.countdown + SECONDS[call.name]) * 1000 + slackMs;
    return { call, fromMs, untilMs: lapsesMs, overMs, lapsesMs };
  }
  const overMs =
    (call.name === 'started' ? facts.claimedMs(call.id) : undefined) ?? facts.end(call.id)?.atMs ?? Infinity;
  return { call, fromMs, untilMs: Math.min(overMs, lapsesMs), overMs, lapsesMs };
}

/** Nobody begins anew while what was called before waits for its time. */
function checkEpisodes(ledger: Ledger, ofLine: readonly Call[], { slackMs }: Limits): void {
  const openers = new Map(ofLine.filter(({ told, id }) => told?.id === id).map((call) => [call.id, call]));
  for (const call of ofLine.filter(isAnswered)) {
    const opener = openers.get(call.told.id);
    for (const later of openers.values()) {
      if (later.id === call.told.id || later.began < call.told.at) continue;
      const dueMs = dueAfter(call, call.beganMs, opener?.beganMs ?? -Infinity);
      if (later.last > call.told.at && later.lastMs < dueMs - slackMs)
        ledger.violate(
          'calls that come together run once',
          `${later.id} begins anew at ${later.lastMs}; ${call.told.id} waits until ${dueMs}`,
          later.id,
        );
    }
  }
}

function dueAfter({ name }: Call, atMs: number, firstMs: number): number {
  const dueMs = atMs + WAIT_SECONDS * 1000;
  return name === 'bounded' ? Math.min(dueMs, firstMs + MAX_WAIT_SECONDS * 1000) : dueMs;
}

/** Once, with the last arguments, and neither early nor late. */
function checkEpisode(
  ledger: Ledger,
  id: string,
  joined: readonly Answered[],
  ofLine: readonly Call[],
  { slackMs, faultsEndMs, punctual }: Limits,
): void {
  const [run, ...others] = runsOf(ledger, id);
  // Told by 'every task ends', or it was lost before it ran.
  if (run === undefined) return;
  const ran = callIn(run);
  const other = others.find((each) => callIn(each) !== ran);
  if (other !== undefined) ledger.violate('the last arguments run', `${id} ran as ${ran}, and as ${callIn(other)}`, id);
  const winner = ofLine.find((call) => call.id === ran);
  if (winner === undefined) return;
  const wonAt = winner.told?.at ?? Infinity;
  const last = joined.find(({ began }) => began > wonAt);
  if (last !== undefined)
    ledger.violate('the last arguments run', `${id} ran as ${ran}, and ${last.id} came later`, id);
  const opener = ofLine.find((call) => call.id === id) ?? winner;
  const earliestMs = dueAfter(winner, winner.beganMs, opener.beganMs);
  if (run.atMs < earliestMs - slackMs)
    ledger.violate('never early', `${id} by ${earliestMs - run.atMs} ms, as ${ran}`, id);
  // Whoever was told nothing may have joined it, as long as it is known to have lived.
  const perhaps = ofLine.filter((call) => (call.told === undefined ? call.beganMs < run.atMs : call.told.id === id));
  const lastMs = Math.max(...perhaps.map((call) => call.lastMs));
  // Who died before it sent a token is made up for by the next call, however much later that comes.
  const toldMs = Math.min(...joined.map(({ told }) => told.atMs));
  const dueMs = Math.max(dueAfter(winner, lastMs, opener.lastMs), toldMs);
  const lateMs = run.atMs - (punctual ? dueMs : Math.max(dueMs, faultsEndMs));
  if (lateMs > (punctual ? PUNCTUAL_MS : 2 * AFTERMATH_MS + slackMs))
    ledger.violate('debounced in time', `${id} ${lateMs} ms late, due at ${dueMs}`, id);
}
