/** What is known of a task in parts, and how its record tells it. */
import type { TaskRecord } from '../../../lib/ports/backend.ts';
import type { SimulatedInvocation } from '../../../lib/testing/simulated-invocation.ts';
import type { JobState } from './jobs.ts';

export interface Stored {
  readonly part: number;
  readonly state: JobState;
}

export interface Claim {
  readonly invocation: SimulatedInvocation | undefined;
  readonly attempt: number;
  readonly owner: string | undefined;
  /** What stood there when it was won. */
  readonly stored: Stored | undefined;
  /** Which part it is, from 1. */
  readonly part: number;
  /** Its function has asked for a retry. */
  retrying: boolean;
}

export interface End {
  readonly state: string;
  readonly meta: string;
  readonly atMs: number;
  /** Claims in vain before it, those that were given back among them. */
  readonly vain: number;
}

/** One task, by its record. */
export interface Known {
  claims: Claim[];
  stored: Stored | undefined;
  /** Since its last claim. */
  storedInPart: boolean;
  /** Claims since the last checkpoint, or the last outcome; without those that were given back on purpose. */
  vain: number;
  /** Those that were given back on purpose: whoever does nothing else is lost too. */
  givenBack: number;
  /** What a part has gone on as its own message. */
  goneOn: number;
  /** Retries that stand, and attempts that somebody asked for by hand. */
  retries: number;
  /** A worker has it, or has died with it. */
  open: boolean;
  /** Until when its line was its own, between two parts. */
  heldMs: number;
  /** Of its task. */
  maxParts: number;
  revokedMs: number | undefined;
  readonly ends: End[];
}

/** One of which nothing is known. */
export function unknown(): Known {
  return {
    claims: [],
    stored: undefined,
    storedInPart: false,
    vain: 0,
    givenBack: 0,
    goneOn: 0,
    retries: 0,
    open: false,
    heldMs: -Infinity,
    maxParts: Infinity,
    revokedMs: undefined,
    ends: [],
  };
}

/** A part has given its message back to go on with it. */
export function isBack({ checkpoint = '' }: TaskRecord): boolean {
  return checkpoint !== '' && (JSON.parse(checkpoint) as { readonly back?: true }).back === true;
}

export function storedOf({ checkpoint }: TaskRecord): Stored | undefined {
  return checkpoint === undefined || checkpoint === '' ? undefined : (JSON.parse(checkpoint) as Stored);
}
