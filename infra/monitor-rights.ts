/** What the role of a monitor may do: each right is one that its routes use, and no grant that others have is given whole. */
import type { IQueue } from 'aws-cdk-lib/aws-sqs';

import { onPayloads } from './payloads.ts';
import * as grants from './grants.ts';
import { countIn, emptyQueues, onKeys, putTimers, type Rights, sendTo, switchRules, type Tables } from './grants.ts';

// Who changed what.
const AUDIT = 'audit';

/** The queues of a service, as a monitor knows them. */
export interface MonitoredQueues {
  /** Those that workers receive tasks from. */
  readonly own: readonly IQueue[];
  /** Those that are sent to. */
  readonly targets: readonly IQueue[];
  /** Those whose letters it shows: not of queues whose workers are elsewhere. */
  readonly deadLetterQueues: readonly IQueue[];
  /** All that it counts. */
  readonly counted: readonly IQueue[];
}

/** Of every monitor: what waits, runs, is held and scheduled, and what is put aside, which is received and shown again. */
export function lookAround(tables: Tables, { deadLetterQueues, counted }: MonitoredQueues): Rights[] {
  const { results, state } = tables;
  return [
    onKeys(
      state,
      [
        AUDIT,
        grants.TIMERS,
        grants.PAUSES,
        grants.LOCKS,
        grants.PARKED,
        grants.PARKED_KEYS,
        grants.ENTRIES,
        grants.CONTROL,
        grants.GROUPS,
        grants.HISTORY,
        grants.STATS,
        grants.ROLL_NOTES,
      ],
      ['Query'],
    ),
    onKeys(
      state,
      [grants.SLOTS, grants.LOCKS, grants.PARKED, grants.PARKED_TASKS, grants.RATE_SLOTS, grants.DEBOUNCED],
      ['GetItem'],
    ),
    onKeys(state, [grants.ENTRIES], ['BatchGetItem']),
    onKeys(results, [grants.TASKS], ['BatchGetItem', 'GetItem']),
    ...onPayloads(tables, ['messages', 'results'], ['get']),
    countIn(counted),
    ...(deadLetterQueues.length === 0
      ? []
      : [
          {
            actions: ['sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility'],
            resourceArns: deadLetterQueues.map((queue) => queue.queueArn),
          },
        ]),
  ];
}

/** Where people log in by passwords: how often somebody has tried. */
export function countLogins({ state }: Tables): Rights[] {
  return [onKeys(state, [grants.RATE_LINES], ['UpdateItem', 'GetItem'])];
}

/** Of one that may act, beside it. */
export function actOnService(
  tables: Tables,
  { own, targets, deadLetterQueues }: MonitoredQueues,
  ruleArns: readonly string[],
): Rights[] {
  const { results, state } = tables;
  return [
    onKeys(state, [AUDIT], ['PutItem']),
    sendTo(targets),
    putTimers(state),
    ...onPayloads(tables, ['messages', 'results'], ['put']),
    // An end that has expired and is still there is deleted first.
    onKeys(results, [grants.TASKS], ['UpdateItem', 'DeleteItem']),
    onKeys(state, [grants.CONTROL], ['PutItem', 'DeleteItem']),
    onKeys(state, [grants.LOCKS], ['UpdateItem']),
    // One entry at a time: it loads no fixtures.
    onKeys(state, [grants.ENTRIES, grants.DUE_MARKS], ['PutItem']),
    ...switchRules(ruleArns),
    onKeys(state, [grants.PAUSES], ['PutItem', 'GetItem', 'DeleteItem']),
    emptyQueues(own),
    ...(deadLetterQueues.length === 0
      ? []
      : [{ actions: ['sqs:DeleteMessage'], resourceArns: deadLetterQueues.map((queue) => queue.queueArn) }]),
  ];
}
