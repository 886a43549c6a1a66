/** What docs/testing.md shows is run. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { afterAll, expect, it } from 'vitest';

import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/testing.md', 'utf8');
const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

it('days in virtual time', () => {
  expect(runExample(page, ['// time.ts'])).toBe('1\nHello Ada\n');
});

it('real work and virtual sleep', () => {
  expect(runExample(page, ['// real.ts'])).toBe('2030-01-01T00:00:05.000Z\n');
});

it('a task keyed by its id survives every fault', () => {
  expect(runExample(page, ['// charge.ts'])).toBe('10000\ntrue\n');
});

it('the embedded cloud', () => {
  // Beside its log lines.
  expect(runExample(page, ['// cloud.ts']).split('\n')).toContain('5');
});

it('there are no other examples', () => {
  expect(blocks.map((block) => block.split('\n')[0])).toEqual([
    '// time.ts',
    '// real.ts',
    '// fake-timers.test.ts',
    '// charge.ts',
    '// cloud.ts',
  ]);
});

// Its own test, which joins those of this file.
mkdirSync('.vitest', { recursive: true });
const folder = resolve(mkdtempSync('.vitest/testing-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(
  `${folder}/fake-timers.test.ts`,
  blocks.find((block) => block.startsWith('// fake-timers.test.ts')) ?? '',
);
await import(/* @vite-ignore */ `${folder}/fake-timers.test.ts`);
