/**
 * The end of a chord as a machine: members finish in any order, each message may come twice, and its process
 * may crash between any two writes. Whoever sees the group complete sends the body.
 */
import { partOf } from '../../lib/wire/group-ids.ts';
import { MemoryGroups } from '../../lib/memory/index.ts';
import { signature } from '../../lib/wire/signature.ts';
import { childId } from '../../lib/worker/followers.ts';
import type { Model, Step } from './explorer.ts';

const GROUP_ID = 'group';

/** What one write answers: nothing follows, a mark in the level above, or the body. */
export type Answer =
  | { readonly kind: 'wait' }
  | { readonly kind: 'rise'; readonly mark: Mark }
  | { readonly kind: 'complete'; readonly failed: boolean };

/** An element of a level: a member, or a complete part of the level below. */
export interface Mark {
  readonly level: number;
  readonly index: number;
  readonly failed: boolean;
}

/** How a store counts. What it has stored is JSON, and a part of the state. */
export interface Counter<M> {
  readonly empty: M;
  mark(stored: M, mark: Mark): Promise<{ readonly stored: M; readonly answer: Answer }>;
}

export interface Chord {
  /** Places of the members that are still to finish; the others did before. */
  readonly members: readonly number[];
  readonly size: number;
  readonly failing?: number;
  /** How often each member's message comes. */
  readonly copies: number;
  readonly crashes: number;
}

/** One copy of a member's message: waiting, at a mark, at the body, or over. */
type Copy = 'queued' | Mark | 'body' | 'body failed' | 'done';

export interface ChordState<M> {
  readonly stored: M;
  readonly copies: readonly (readonly Copy[])[];
  readonly crashesLeft: number;
  /** Each body that was sent, or declared as failed, once. */
  readonly bodies: readonly string[];
  /** Members whose own mark is stored. */
  readonly marked: readonly boolean[];
  /** A body was sent while a mark was missing. */
  readonly early: boolean;
}

export const TOO_EARLY = 'the body comes after all members';
export const ONE_BODY = 'the body has one id and one fate';
export const NO_BODY = 'the body is sent';

export function bodyIdOf(): string {
  return childId(signature('body'), `${GROUP_ID}:body`);
}

export function chordModel<M>(
  chord: Chord,
  counter: Counter<M>,
  bodyId: (sender: number) => string = bodyIdOf,
): Model<ChordState<M>> {
  return {
    initial: {
      stored: counter.empty,
      copies: chord.members.map(() => Array.from({ length: chord.copies }, () => 'queued' as const)),
      crashesLeft: chord.crashes,
      bodies: [],
      marked: chord.members.map(() => false),
      early: false,
    },
    steps: async (state) => {
      const steps: Step<ChordState<M>>[] = [];
      for (const [member, copies] of state.copies.entries())
        for (const [number, copy] of copies.entries())
          // Equal copies take equal steps.
          if (copy !== 'done' && copies.indexOf(copy) === number)
            steps.push(...(await proceed(state, { chord, counter, bodyId, member, number, copy })));
      return steps;
    },
    // What is sent twice with one id runs once: that is the protocol's part.
    invariant: ({ early, bodies }) => (early ? TOO_EARLY : bodies.length > 1 ? ONE_BODY : undefined),
    final: ({ bodies }) => (bodies.length === 0 ? NO_BODY : undefined),
  };
}

interface At<M> {
  readonly chord: Chord;
  readonly counter: Counter<M>;
  bodyId(sender: number): string;
  readonly member: number;
  readonly number: number;
  readonly copy: Exclude<Copy, 'done'>;
}

async function proceed<M>(state: ChordState<M>, at: At<M>): Promise<Step<ChordState<M>>[]> {
  const { chord, member, copy } = at;
  const index = chord.members[member] ?? 0;
  if (copy === 'queued') {
    const mark = { level: 0, index, failed: index === chord.failing };
    return [{ name: `member ${index} finishes`, next: moved(state, at, mark) }];
  }
  const crashed = { ...moved(state, at, 'queued'), crashesLeft: state.crashesLeft - 1 };
  const crash: Step<ChordState<M>>[] =
    state.crashesLeft > 0 ? [{ name: `member ${index} crashes`, next: crashed, optional: true }] : [];
  if (copy === 'body' || copy === 'body failed') {
    const body = `${at.bodyId(index)} ${copy}`;
    const bodies = [...new Set([...state.bodies, body])].toSorted();
    const early = state.marked.includes(false);
    return [...crash, { name: `member ${index}: ${copy}`, next: { ...moved(state, at, 'done'), bodies, early } }];
  }
  const { stored, answer } = await at.counter.mark(state.stored, copy);
  const marked = state.marked.map((already, index) => already || index === member);
  const next = moved({ ...state, stored, marked }, at, afterMark(answer));
  return [...crash, { name: `member ${index} marks level ${copy.level}: ${answer.kind}`, next }];
}

function afterMark(answer: Answer): Copy {
  if (answer.kind === 'wait') return 'done';
  if (answer.kind === 'rise') return answer.mark;
  return answer.failed ? 'body failed' : 'body';
}

function moved<M>(state: ChordState<M>, { member, number }: At<M>, to: Copy): ChordState<M> {
  const copies = state.copies.map((each, index) =>
    index === member ? each.map((copy, copyIndex) => (copyIndex === number ? to : copy)).toSorted(byText) : each,
  );
  return { ...state, copies };
}

function byText(left: unknown, right: unknown): number {
  return JSON.stringify(left) < JSON.stringify(right) ? -1 : 1;
}

// --------------------------------------------------------------- counters

/** The real MemoryGroups, which marks all levels at once. */
export function memoryCounter(chord: Chord): Counter<readonly Mark[]> {
  const request = ({ index, failed }: Mark) => ({
    groupId: GROUP_ID,
    size: chord.size,
    index,
    failed,
    expiresAtSeconds: 1e9,
  });
  return {
    empty: finishedBefore(chord),
    mark: async (stored, mark) => {
      const groups = new MemoryGroups();
      if (stored.length > 0) await groups.mark(stored.map(request));
      const [answer] = await groups.mark([request(mark)]);
      const known = stored.some(({ index }) => index === mark.index);
      return {
        // In order, since they make a set.
        stored: known ? stored : [...stored, mark].toSorted((left, right) => left.index - right.index),
        answer: answer?.complete ? { kind: 'complete', failed: answer.failed } : { kind: 'wait' },
      };
    },
  };
}

interface Part {
  readonly done: readonly number[];
  readonly failed: boolean;
}
export type Parts = Readonly<Record<string, Part>>;

/** One write for each level, as on DynamoDB: a crash may leave a complete part that the level above does not know. */
export function levelCounter(chord: Chord): Counter<Parts> {
  const add = (parts: Parts, { level, index, failed }: Mark): { parts: Parts; answer: Answer } => {
    const { number, elements, top } = partOf(chord.size, level, index);
    const key = `${level}#${number}`;
    const old = parts[key] ?? { done: [], failed: false };
    const part = {
      done: [...new Set([...old.done, index])].toSorted((left, right) => left - right),
      failed: old.failed || failed,
    };
    const after = { ...parts, [key]: part };
    if (part.done.length < elements) return { parts: after, answer: { kind: 'wait' } };
    if (top) return { parts: after, answer: { kind: 'complete', failed: part.failed } };
    return {
      parts: after,
      answer: { kind: 'rise', mark: { level: level + 1, index: number, failed: part.failed } },
    };
  };
  return {
    empty: finishedBefore(chord).reduce<Parts>((parts, mark) => add(parts, mark).parts, {}),
    mark: (stored, mark) => {
      const { parts, answer } = add(stored, mark);
      return Promise.resolve({ stored: parts, answer });
    },
  };
}

function finishedBefore({ members, size }: Chord): Mark[] {
  return Array.from({ length: size }, (_, index) => ({ level: 0, index, failed: false })).filter(
    ({ index }) => !members.includes(index),
  );
}
