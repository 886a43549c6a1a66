/** The rate limit that holds now: what a task declares, unless `app.control.rateLimit()` has said something else. */
import { errorLine } from '../base/error-text.ts';
import { RATE_CONTROL_SECONDS } from '../base/limits.ts';
import { isPassing } from '../base/passing.ts';
import { quoted } from '../base/quote.ts';
import { type Rate, type RateLimit, resolveRateLimit } from '../options/rate-limit.ts';
import type { Rates } from '../ports/rates.ts';
import type { Worker } from './worker.ts';

type Limits = ReadonlyMap<string, string>;

interface Known {
  readonly readMs: number;
  readonly limits: Limits;
}

/** Of this process. */
const KNOWN = new WeakMap<Rates, Known>();
/** What an invocation is reading: what has not been answered may never be, where its process ends. */
const READING = new WeakMap<Worker, Promise<Limits>>();

/** Undefined where nothing limits it now. */
export async function currentLimit(task: string, declared: RateLimit, worker: Worker): Promise<RateLimit | undefined> {
  const limit = (await limitsNow(worker)).get(task);
  if (limit === undefined) return declared;
  try {
    const rate = resolveRateLimit({ limit: limit as Rate }, 'rateLimit');
    return rate && { ...declared, text: rate.text, paceMicros: rate.paceMicros };
  } catch {
    // Somebody else has written it.
    const text = `The rate limit of task '${task}' was changed to ${quoted(limit)}, which is none: it holds as declared`;
    worker.ports.logger.log('error', text, { task });
    return declared;
  }
}

async function limitsNow(worker: Worker): Promise<Limits> {
  const known = KNOWN.get(worker.rates());
  if (known !== undefined && Math.abs(worker.ports.clock.nowMs() - known.readMs) < RATE_CONTROL_SECONDS * 1000)
    return known.limits;
  const reading = READING.get(worker) ?? read(worker, known).finally(() => READING.delete(worker));
  READING.set(worker, reading);
  return reading;
}

async function read(worker: Worker, known: Known | undefined): Promise<Limits> {
  const rates = worker.rates();
  const readMs = worker.ports.clock.nowMs();
  try {
    const limits = await rates.limits();
    KNOWN.set(rates, { readMs, limits });
    return limits;
  } catch (error) {
    // Declared limits may be looser than what holds: a first look that fails for a passing reason is made up for.
    if (known === undefined && isPassing(error)) throw error;
    worker.ports.logger.log('warn', `Changed rate limits could not be read: ${errorLine(error)}`, {});
    const limits = known?.limits ?? new Map<string, string>();
    KNOWN.set(rates, { readMs, limits });
    return limits;
  }
}
