/** The parts of `npm run mutate` that decide: what is changed, what is drawn, what the result says. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { changedLines, distancesTo, git, textsOfTest } from './changes.ts';
import { chosenOf } from './chosen-tests.ts';
import { FOLDERS, instrument, mutated, sampleOf } from './mutants.ts';
import { readReviewed } from './reviewed.ts';
import { scoreOf, scoreText } from './score.ts';
import { type Recorded, State } from './state.ts';

describe('the score', () => {
  it.each([
    // Of Wilson's formula, by another program.
    [36, 40, 0.7695, 0.9604],
    [10, 10, 0.7225, 1],
    [0, 10, 0, 0.2775],
    [1, 2, 0.0945, 0.9055],
  ])('%i of %i lies between %f and %f', (killed, tried, low, high) => {
    const score = scoreOf(killed, tried);
    expect(score.low).toBeCloseTo(low, 4);
    expect(score.high).toBeCloseTo(high, 4);
  });
  it('says nothing of nothing', () => {
    expect(scoreOf(0, 0)).toMatchObject({ low: 0, high: 1 });
    expect(scoreText(scoreOf(0, 0))).toBe('none tried');
    expect(scoreText(scoreOf(36, 40))).toBe('36 of 40 killed: 90.0 % (95 %: 76.9 % to 96.0 %)');
  });
});

describe('the sample', () => {
  const members = (size: number): { key: string }[] =>
    Array.from({ length: size }, (_, index) => ({ key: `${index}` }));

  it('is of different members, the same for a seed, and grows', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(220), fc.nat(), (size, count, seed) => {
        const sample = sampleOf(members(size), count, seed);
        expect(new Set(sample).size).toBe(Math.min(size, count));
        expect(sampleOf(members(size), count + 1, seed).slice(0, sample.length)).toEqual(sample);
      }),
    );
  });
  it('keeps its members where another one goes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(220), fc.nat(), fc.nat(), (size, count, gone, seed) => {
        const all = members(size);
        const rest = all.filter((_, index) => index !== gone % size);
        const sample = sampleOf(all, count, seed).filter((one) => rest.includes(one));
        expect(sampleOf(rest, count, seed).slice(0, sample.length)).toEqual(sample);
      }),
    );
  });
  it('draws each member as often as the others', () => {
    const times = new Map<string, number>();
    for (let seed = 0; seed < 2000; seed += 1)
      for (const { key } of sampleOf(members(10), 3, seed)) times.set(key, (times.get(key) ?? 0) + 1);
    // 600 are expected, with a standard deviation of 20.5.
    for (const count of times.values()) expect(Math.abs(count - 600)).toBeLessThan(100);
    expect(times.size).toBe(10);
  });
});

describe('changes', () => {
  it('reads the lines of the new text', () => {
    const diff = [
      'diff --git a/lib/a.ts b/lib/a.ts',
      '--- a/lib/a.ts',
      '+++ b/lib/a.ts',
      '@@ -3 +3,2 @@ function a() {',
      '+one',
      '@@ -9,2 +10,0 @@',
      '-gone',
      '--- a/lib/b.ts',
      '+++ b/lib/b.ts',
      '@@ -0,0 +7 @@',
    ].join('\n');
    expect(changedLines(diff)).toEqual(
      new Map([
        ['lib/a.ts', new Set([3, 4])],
        ['lib/b.ts', new Set([7])],
      ]),
    );
  });
  it('are read however long they are', () => {
    const folder = mkdtempSync(join(tmpdir(), 'celeriac-changes-'));
    try {
      git(['init', '--quiet'], folder);
      writeFileSync(join(folder, 'a.ts'), '// a line\n'.repeat(150_000));
      git(['add', 'a.ts'], folder);
      const changed = changedLines(git(['diff', '--unified=0', '--cached'], folder));
      expect(changed.get('a.ts')?.size).toBe(150_000);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  it('tests that import a file stand nearer than those that import the package', () => {
    const distances = distancesTo(['lib/worker/decide.ts']);
    expect(distances.get('test/worker/decide.test.ts')).toBe(1);
    expect(distances.get('test/canvas/windows.test.ts')).toBeGreaterThan(1);
    expect(distances.get('test/schedules/solar.test.ts')).toBeUndefined();
  });
});

describe('what was recorded of a test', () => {
  const [test, file, other] = ['test/worker/defer.test.ts', 'lib/worker/defer.ts', 'lib/worker/decide.ts'];

  it('is of its text and of all that it imports of test', () => {
    const texts = textsOfTest(test);
    expect(texts).toEqual(expect.arrayContaining([test, 'test/support/port-taps.ts']));
    expect(texts.every((path) => path.startsWith('test/'))).toBe(true);
  });

  it('holds while these texts and that of the file it is asked about stay the same, and is kept', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mutation-'));
    try {
      const state = new State(folder);
      const library = { [file]: state.hash(file), [other]: 'of an earlier text' };
      const recorded: Recorded = { hash: state.hash(test), library, seconds: 1, passed: true, hits: { key: 1 } };
      state.record({ [test]: recorded, 'test/worker/decide.test.ts': { ...recorded, hash: 'of an earlier text' } });
      state.put('own', 'key', { status: 'survived' });
      const later = new State(folder);
      expect(later.recorded(test, file)).toEqual(recorded);
      // Its lines are others by now: that none of their mutants is come to says nothing.
      expect(later.recorded(test, other)).toBeUndefined();
      expect(later.recorded(test, 'lib/worker/settle.ts')).toBeUndefined();
      expect(later.recorded('test/worker/decide.test.ts', file)).toBeUndefined();
      expect([later.result('own', 'key'), later.result('others', 'key')]).toEqual([{ status: 'survived' }, undefined]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('tests that are run against a mutant', () => {
  const tests = [
    { path: 'slow', seconds: 50, hits: 1 },
    { path: 'quick', seconds: 1, hits: 2 },
    { path: 'own', seconds: 30, hits: 7 },
  ];
  const chosen = (mostSeconds: number, ...own: string[]): unknown => chosenOf(tests, new Set(own), mostSeconds);

  it('are quick ones first, as many as the time allows', () => {
    expect(chosen(100)).toEqual({ paths: ['quick', 'own', 'slow'], seconds: 81, hits: 7 });
    expect(chosen(31)).toEqual({ paths: ['quick', 'own'], seconds: 31, hits: 7 });
    expect(chosen(1)).toEqual({ paths: ['quick'], seconds: 1, hits: 2 });
  });
  it('never leave out the one that imports its file for others that are quicker', () => {
    expect(chosen(30, 'own')).toEqual({ paths: ['own'], seconds: 30, hits: 7 });
    expect(chosen(51, 'slow')).toEqual({ paths: ['quick', 'slow'], seconds: 51, hits: 2 });
    expect(chosen(0, 'slow')).toEqual({ paths: ['slow'], seconds: 50, hits: 1 });
  });
});

describe('mutants', () => {
  it('are of every folder, each with a key of its own; wording, and what never comes, are left alone', async () => {
    const { mutants, texts } = await instrument();
    expect(new Set(mutants.map(({ folder }) => folder))).toEqual(new Set(FOLDERS));
    expect(new Set(mutants.map(({ key }) => key)).size).toBe(mutants.length);
    for (const mutant of mutants) {
      const text = readFileSync(mutant.file, 'utf8');
      expect(text.startsWith(mutant.before, mutant.from)).toBe(true);
      expect(text.slice(0, mutant.from).split('\n')).toHaveLength(mutant.line);
      expect(mutated(text, mutant).startsWith(mutant.after === ';' ? '{}' : mutant.after, mutant.from)).toBe(true);
    }
    expect(texts.get('lib/worker/decide.ts')).toContain('stryMutAct_9fa48(');
    const words = mutants.filter(({ before }) => /^(['"`]).*\s.*\s.*\s.*\1$/.test(before));
    expect(words.length / mutants.length).toBeLessThan(0.02);
    expect(mutants.filter(({ before }) => before.startsWith('default:') && before.includes('satisfies never'))).toEqual(
      [],
    );
  });
});

describe('the list of survivors', () => {
  it('is read as a whole', () => {
    expect(readReviewed(readFileSync('test/mutation/survivors.md', 'utf8'))).toEqual(expect.any(Array));
    const line = '- 0123456789ab lib/a.ts:1: `a` → `b`: equivalent: both are c';
    expect(readReviewed(`# Title\n\n${line}\n`)).toEqual([{ key: '0123456789ab', equivalent: true, line }]);
    expect(readReviewed(line.replace(/equivalent.*/, 'to be killed'))).toMatchObject([{ equivalent: false }]);
    for (const wrong of ['equivalent', 'maybe', ''])
      expect(() => readReviewed(line.replace(/equivalent.*/, wrong))).toThrow('Not ');
  });
});
