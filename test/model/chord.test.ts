/** Every order in which a chord's members can end, be delivered twice and crash. */
import { describe, expect, it } from 'vitest';

import {
  type Answer,
  bodyIdOf,
  type Chord,
  chordModel,
  type Counter,
  levelCounter,
  type Mark,
  memoryCounter,
  NO_BODY,
  ONE_BODY,
  type Parts,
  TOO_EARLY,
} from './chord.ts';
import { type Explored, explore } from './explorer.ts';

const THREE: Chord = { members: [0, 1, 2], size: 3, copies: 2, crashes: 3 };
const FOUR: Chord = { members: [0, 1, 2, 3], size: 4, copies: 2, crashes: 2 };
/** Parts hold 64 members: two of the first part and the only one of the second are still to finish. */
const TWO_LEVELS: Chord = { members: [62, 63, 64], size: 65, copies: 2, crashes: 3 };

const CHORDS: readonly (readonly [string, Chord])[] = [
  ['3 members', THREE],
  ['3 members, each once', { ...THREE, copies: 1 }],
  ['3 members, one fails', { ...THREE, failing: 1 }],
  ['4 members', FOUR],
  ['65 members in two parts', TWO_LEVELS],
  ['65 members in two parts, each once', { ...TWO_LEVELS, copies: 1 }],
  ['65 members in two parts, one fails', { ...TWO_LEVELS, crashes: 2, failing: 62 }],
];

const explored: (readonly [string, Explored<unknown>])[] = [];
for (const [name, chord] of CHORDS) {
  explored.push([`${name}, MemoryGroups`, await explore(chordModel(chord, memoryCounter(chord)))]);
  explored.push([`${name}, one write for each level`, await explore(chordModel(chord, levelCounter(chord)))]);
}

describe('a chord', () => {
  for (const [name, { states, ends, counterexample }] of explored) {
    it(`sends one body after all members: ${name} (${states} states)`, () => {
      expect(counterexample).toBeUndefined();
      expect(ends.length).toBeGreaterThan(0);
    });
  }
});

/** A number that every mark makes larger. */
const increments: Counter<number> = {
  empty: 0,
  mark: (stored) => {
    const answer: Answer = stored + 1 >= THREE.size ? { kind: 'complete', failed: false } : { kind: 'wait' };
    return Promise.resolve({ stored: stored + 1, answer });
  },
};

/** A number that a member makes larger once; who finds its mark there is told nothing. */
const incrementsOnce: Counter<readonly number[]> = {
  empty: [],
  mark: (stored, { index }) => {
    if (stored.includes(index)) return Promise.resolve({ stored, answer: { kind: 'wait' } });
    const after = [...stored, index].toSorted((left, right) => left - right);
    const answer: Answer = after.length === THREE.size ? { kind: 'complete', failed: false } : { kind: 'wait' };
    return Promise.resolve({ stored: after, answer });
  },
};

function bent(chord: Chord, answerOf: (answer: Answer, mark: Mark, changed: boolean) => Answer): Counter<Parts> {
  const real = levelCounter(chord);
  return {
    empty: real.empty,
    mark: async (before, mark) => {
      const { stored, answer } = await real.mark(before, mark);
      const changed = JSON.stringify(stored) !== JSON.stringify(before);
      return { stored, answer: answerOf(answer, mark, changed) };
    },
  };
}

const ONCE: Chord = { ...TWO_LEVELS, copies: 1 };
const risesOnce = bent(ONCE, (answer, _, changed) => (changed ? answer : { kind: 'wait' }));
const FAILING: Chord = { ...TWO_LEVELS, failing: 62 };
const forgetsFailures = bent(FAILING, (answer, mark) =>
  answer.kind === 'rise' ? { ...answer, mark: { ...answer.mark, failed: mark.failed } } : answer,
);

describe('each rule of a chord can fail', () => {
  it('counting by increments fires early', async () => {
    const { counterexample } = await explore(chordModel(THREE, increments));
    expect(counterexample?.broken).toBe(TOO_EARLY);
    expect(counterexample?.trace).toHaveLength(7);
  });
  it('telling only the last one that all are there never fires', async () => {
    const { counterexample } = await explore(chordModel({ ...THREE, copies: 1 }, incrementsOnce));
    expect(counterexample?.broken).toBe(NO_BODY);
    expect(counterexample?.trace).toContain('member 2 crashes');
  });
  it('telling the level above only once never fires', async () => {
    const { counterexample } = await explore(chordModel(ONCE, risesOnce));
    expect(counterexample?.broken).toBe(NO_BODY);
  });
  it('a failure that does not rise gives the body two fates', async () => {
    const { counterexample } = await explore(chordModel(FAILING, forgetsFailures));
    expect(counterexample?.broken).toBe(ONE_BODY);
  });
  it('a new id for each sending makes two bodies', async () => {
    const model = chordModel(THREE, memoryCounter(THREE), (sender) => `${bodyIdOf()}-${sender}`);
    expect((await explore(model)).counterexample?.broken).toBe(ONE_BODY);
  });
});
