/** Stored states of the entries that code declares: made at the first sweep after a deployment, and kept in step. */
import { errorMessage } from '../base/error-text.ts';
import { util } from '../base/builtins.ts';
import type { Ports } from '../ports/ports.ts';
import type { ScheduleItem } from '../ports/schedules.ts';
import type { ScheduleEntry } from './entry.ts';
import type { BeatPlan } from './plan.ts';
import { storedAnew } from './edit-state.ts';
import { firstState, itemOf, nextSweptMs, type ScheduleState, stateOf } from './schedule-state.ts';

/** Whether all of them are in step: one that is not must not keep the rest from it. */
export async function syncDeclared(plans: readonly BeatPlan[], ports: Ports): Promise<boolean> {
  const items = await ports.schedules.read(plans.map((plan) => plan.name));
  let all = true;
  const changes: ScheduleItem[] = [];
  for (const [index, plan] of plans.entries()) {
    try {
      const next = await syncOne(plan, items[index], ports);
      if (next !== undefined) changes.push(itemOf(next));
    } catch (error) {
      all = false;
      ports.logger.log('error', `Schedule entry '${plan.name}' is not in step with the code: ${errorMessage(error)}`, {
        entry: plan.name,
      });
    }
  }
  // Not written: another sweeper was quicker.
  if (changes.length > 0) await ports.schedules.write(changes);
  return all;
}

/** The state to be stored, if any. */
async function syncOne(
  plan: BeatPlan,
  item: ScheduleItem | undefined,
  ports: Ports,
): Promise<ScheduleState | undefined> {
  const nowMs = ports.clock.nowMs();
  const state = item && stateOf(item);
  if (state === undefined || state.deleted) {
    const first = firstState(plan.entry, 'code', plan.firedBy, nowMs);
    return state === undefined ? first : storedAnew(first, state);
  }
  if (state.source === 'stored') {
    const effect = plan.firedBy === 'rule' ? 'both fire' : 'only the stored one fires';
    ports.logger.log(
      'error',
      `Schedule entry '${plan.name}' is declared in code and stored too; ${effect}. Delete the stored one, or rename one.`,
      { entry: plan.name },
    );
    return undefined;
  }
  const next = inStep(state, plan, nowMs);
  if (plan.firedBy === 'rule' && state.choice !== null) await keepChoice(plan, state.choice, ports);
  return next;
}

/** The state as the code now declares it, or undefined where nothing is new. */
function inStep(state: ScheduleState, plan: BeatPlan, nowMs: number): ScheduleState | undefined {
  const enabled = state.choice ?? plan.entry.enabled;
  // Told beside an operator's choice, for whoever takes that back.
  const isTold = state.choice === null || state.declared === plan.entry.enabled;
  const told = isTold ? state : { ...state, declared: plan.entry.enabled };
  const same = sameDefinition(state.entry, plan.entry);
  if (same && state.firedBy === plan.firedBy && (state.entry.enabled === enabled || state.over))
    return isTold ? undefined : told;
  const entry: ScheduleEntry = { ...plan.entry, enabled };
  const sameTimes = util().isDeepStrictEqual(state.entry.schedule, entry.schedule);
  const anchorMs = sameTimes ? state.anchorMs : nowMs;
  const sameSpan = state.entry.startMs === entry.startMs && state.entry.expiresMs === entry.expiresMs;
  const swept = plan.firedBy === 'sweep' && state.firedBy === 'sweep' && enabled;
  const keep = swept && sameTimes && sameSpan && state.nextDueMs !== null;
  return {
    ...told,
    entry,
    firedBy: plan.firedBy,
    over: false,
    anchorMs,
    nextDueMs: keep ? state.nextDueMs : nextSweptMs(entry, plan.firedBy, nowMs, anchorMs),
    changedMs: nowMs,
    changedBy: null,
  };
}

function sameDefinition(left: ScheduleEntry, right: ScheduleEntry): boolean {
  return util().isDeepStrictEqual({ ...left, enabled: true }, { ...right, enabled: true });
}

/** A deployment that changed a rule has set its state anew. */
async function keepChoice(plan: BeatPlan, choice: boolean, ports: Ports): Promise<void> {
  const enabled = await ports.rules?.isEnabled(plan.name);
  if (enabled === undefined || enabled === choice) return;
  await ports.rules?.setEnabled(plan.name, choice);
  ports.logger.log(
    'warn',
    `The rule of schedule entry '${plan.name}' was ${enabled ? 'enabled' : 'disabled'} by a deployment; it is ${choice ? 'enabled' : 'disabled'} again, as an operator chose`,
    { entry: plan.name },
  );
}
