/** States as people see them: one table for every view. The icon and the word say what it is, the tone how much it matters. */

export type Tone = 'idle' | 'run' | 'ok' | 'warn' | 'bad' | 'dead';

export type StateIcon =
  | 'queued'
  | 'delayed'
  | 'parked'
  | 'running'
  | 'retrying'
  | 'missed'
  | 'paused'
  | 'active'
  | 'succeeded'
  | 'failed'
  | 'rejected'
  | 'dead'
  | 'revoked'
  | 'ignored'
  | 'unknown';

export interface StateView {
  readonly word: string;
  readonly icon: StateIcon;
  readonly tone: Tone;
}

const VIEWS: Readonly<Record<string, StateView>> = {
  PENDING: { word: 'Queued', icon: 'queued', tone: 'idle' },
  RECEIVED: { word: 'Queued', icon: 'queued', tone: 'idle' },
  DELAYED: { word: 'Delayed', icon: 'delayed', tone: 'idle' },
  PARKED: { word: 'Parked', icon: 'parked', tone: 'idle' },
  STARTED: { word: 'Running', icon: 'running', tone: 'run' },
  PROGRESS: { word: 'Running', icon: 'running', tone: 'run' },
  RETRY: { word: 'Retrying', icon: 'retrying', tone: 'warn' },
  SUCCESS: { word: 'Succeeded', icon: 'succeeded', tone: 'ok' },
  FAILURE: { word: 'Failed', icon: 'failed', tone: 'bad' },
  REJECTED: { word: 'Rejected', icon: 'rejected', tone: 'bad' },
  DEAD: { word: 'Dead letter', icon: 'dead', tone: 'dead' },
  REVOKED: { word: 'Revoked', icon: 'revoked', tone: 'idle' },
  IGNORED: { word: 'Ignored', icon: 'ignored', tone: 'idle' },
  // Of queues and schedules.
  running: { word: 'Running', icon: 'active', tone: 'ok' },
  paused: { word: 'Paused', icon: 'paused', tone: 'warn' },
  external: { word: 'Workers elsewhere', icon: 'unknown', tone: 'idle' },
  missed: { word: 'Missed', icon: 'missed', tone: 'warn' },
};

/** A state that somebody else's worker has made up is shown as it is named. */
export function stateView(state: string): StateView {
  return Object.hasOwn(VIEWS, state) ? (VIEWS[state] as StateView) : { word: state, icon: 'unknown', tone: 'idle' };
}

/** What is put aside is more than failed. */
export function shownState(state: string, deadLetter: string | null): string {
  return deadLetter === null ? state : 'DEAD';
}

/** Nothing follows. */
export function isFinal(state: string): boolean {
  return ['SUCCESS', 'FAILURE', 'REJECTED', 'REVOKED', 'IGNORED', 'DEAD'].includes(state);
}

/** A state that the list of tasks can be asked for. */
export interface StateChoice {
  readonly key: string;
  readonly word: string;
  /** As the API knows them. */
  readonly states: readonly string[];
  readonly isTrouble: boolean;
}

/** In the order of the chips. */
export const STATE_CHOICES: readonly StateChoice[] = [
  { key: 'all', word: 'All', states: [], isTrouble: false },
  { key: 'delayed', word: 'Delayed', states: [], isTrouble: false },
  { key: 'running', word: 'Running', states: [], isTrouble: false },
  { key: 'succeeded', word: 'Succeeded', states: ['SUCCESS'], isTrouble: false },
  { key: 'retrying', word: 'Retrying', states: ['RETRY'], isTrouble: false },
  { key: 'failed', word: 'Failed', states: ['FAILURE'], isTrouble: true },
  { key: 'rejected', word: 'Rejected', states: ['REJECTED'], isTrouble: true },
  { key: 'revoked', word: 'Revoked', states: ['REVOKED'], isTrouble: false },
  { key: 'ignored', word: 'Ignored', states: ['IGNORED'], isTrouble: false },
];
