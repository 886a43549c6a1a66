/** When other code was deployed: marks of the sweeper among its buckets, by time, with a version for their data. */
import { DEPLOY_RETENTION_SECONDS, MAX_DEPLOYS_READ } from '../base/limits.ts';
import type { Clock } from '../base/time.ts';
import type { History } from '../ports/history.ts';

/** A sweep found other code than the one before it. */
export interface Deploy {
  /** When it was found, milliseconds since the epoch. */
  readonly atMs: number;
  /** Of the code. */
  readonly version: string;
}

/** In order. What two sweepers marked at once, or one after the other, was deployed once. */
export async function deploysIn(
  history: History,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): Promise<readonly Deploy[]> {
  const marks = await history.buckets({ every: 'deploy', fromMs, untilMs, limit: MAX_DEPLOYS_READ });
  const deploys = marks.map(({ startMs, data }) => ({ atMs: startMs, version: new TextDecoder().decode(data) }));
  return deploys.filter(({ version }, index) => version !== deploys[index - 1]?.version);
}

/** What a process has found already: one that runs has one code, so that it asks once, and a sweep reads nothing for it. */
const NOTED = new WeakMap<History, string>();

/** Marks the version where the last mark is of another one. */
export async function noteDeploy(
  version: string,
  { history, clock }: { readonly history: History; readonly clock: Clock },
): Promise<void> {
  if (NOTED.get(history) === version) return;
  const nowMs = clock.nowMs();
  const known = await deploysIn(history, { fromMs: nowMs - DEPLOY_RETENTION_SECONDS * 1000, untilMs: nowMs + 1 });
  if (known.at(-1)?.version !== version)
    await history.putBucket({
      every: 'deploy',
      startMs: nowMs,
      count: 1,
      data: new TextEncoder().encode(version),
      expiresAtSeconds: Math.ceil(nowMs / 1000) + DEPLOY_RETENTION_SECONDS,
    });
  NOTED.set(history, version);
}
