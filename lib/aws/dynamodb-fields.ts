/** What each step of the protocol writes on a task's item: once, whether it goes as an update or as a statement of a batch. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { ClaimRequest, CommitRequest, ConcludeRequest, UpdateRequest } from '../ports/backend.ts';
import { STARTED } from '../base/states.ts';
import { document, number, text, timestamp } from './dynamodb-record.ts';

export type Fields = readonly (readonly [name: string, value: AttributeValue])[];

/** All but the document and the count of deliveries, which a first claim begins and a later one goes on with. */
export function claimFields(request: ClaimRequest): Fields {
  return [
    ['status', text(STARTED)],
    ['owner', text(request.owner)],
    ['attempt', number(request.attempt)],
    ['lease', number(request.leaseMs)],
    ['name', text(request.name)],
    ['queue', text(request.queue)],
    ['started', number(request.nowMs)],
    ...written(request.nowMs, request),
  ];
}

/** The item of a claimed attempt has neither a settlement nor a mark that it is ignored: a claim takes them away. */
export function commitFields(request: CommitRequest): Fields {
  return [
    ['committed', number(request.attempt)],
    ['status', text(request.status)],
    ...outcome(request),
    ...(request.ignored ? ([['ignored', { BOOL: true }]] as const) : []),
    ...(request.checkpoint === undefined ? [] : ([['checkpoint', text(request.checkpoint)]] as const)),
    ...(request.final
      ? ([['finished', number(request.nowMs)]] as const)
      : // The next attempt counts its deliveries from nothing, and a claim cannot reset and add in one write.
        ([
          ['deliveries', number(0)],
          ['requeues', number(0)],
        ] as const)),
    ...written(request.nowMs, request),
  ];
}

export function updateFields(request: UpdateRequest): Fields {
  return 'checkpoint' in request
    ? [
        ['checkpoint', text(request.checkpoint)],
        ['deliveries', number(1)],
        ['requeues', number(0)],
      ]
    : [
        ['status', text(request.status)],
        ['result', document(request.meta)],
      ];
}

export function concludeFields(request: ConcludeRequest): Fields {
  return [
    ['status', text(request.status)],
    ['attempt', number(request.attempt)],
    ['committed', number(request.attempt)],
    ['finished', number(request.nowMs)],
    ['name', text(request.name)],
    ['queue', text(request.queue)],
    ...outcome(request),
    ...written(request.nowMs, request),
  ];
}

/** Whoever was thought dead and comes back must find that the task is no longer its own; the rest is of an earlier attempt. */
export const ENDED_OTHERWISE: readonly string[] = ['owner', 'ignored'];

export function outcome({ meta, settlement }: { readonly meta?: string; readonly settlement?: string }): Fields {
  return [
    ...(meta === undefined ? [] : ([['result', document(meta)]] as const)),
    ...(settlement === undefined ? [] : ([['settlement', text(settlement)]] as const)),
  ];
}

export function written(nowMs: number, { expiresAtSeconds }: { readonly expiresAtSeconds: number }): Fields {
  return [
    ['timestamp', timestamp(nowMs)],
    ['ttl', number(expiresAtSeconds)],
  ];
}
