/** Every broken promise without flow control, and whether its checker sees it. */
import { SABOTAGES as OF_PORTS, type Sabotage } from './sabotage.ts';
import { EXPIRY_SABOTAGES } from './sabotage-expiry.ts';
import { WORKER_SABOTAGES } from './sabotage-worker.ts';
import { simulate } from './simulate.ts';

export const SABOTAGES: readonly Sabotage[] = [...OF_PORTS, ...WORKER_SABOTAGES, ...EXPIRY_SABOTAGES];

// One of each kind of promise: `npm test` sees that the checkers look at all; each of them by itself is a long test.
const QUICK: ReadonlySet<string> = new Set([
  'every claim is won',
  'a conclusion overwrites',
  'SQS is ten seconds late',
  'messages get lost',
  'results come in another order',
  'an entry is not written, and its mark is dropped',
  'a timer is not fired for a month',
  'every running task is told to end',
]);

export function isQuick({ what }: Sabotage): boolean {
  return QUICK.has(what);
}

/** The rules that were seen broken, by as many seeds as it takes. */
export async function sabotaged({ rule, options }: Sabotage, mostSeeds = 5): Promise<string[]> {
  const rules = new Set<string>();
  for (let seed = 1; seed <= mostSeeds && !rules.has(rule); seed += 1)
    for (const violation of (await simulate({ seed, ...options })).violations) rules.add(violation.rule);
  return [...rules];
}
