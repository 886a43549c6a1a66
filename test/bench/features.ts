/** What a worker's bundle and its start cost that uses one thing more than a plain task. */
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { type Bundle, handler, kilobytes, medianStarts } from './bundle.ts';

const FOLDER = 'test/bench/features';
const PLAIN = 'plain';

/** One row a feature: bytes that each start reads more, bytes of all files more, and the time of load and first task beside the plain one's. */
export async function features(rounds: number): Promise<[string, string][]> {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-features-'));
  try {
    const names = globSync(`${FOLDER}/*.ts`).map((path) => basename(path, '.ts'));
    const sorted = [PLAIN, ...names.filter((name) => name !== PLAIN).toSorted()];
    const bundles = sorted.map((name) => handler('worker', 'lean', join(folder, name), `${FOLDER}/${name}.ts`));
    const starts = await medianStarts(
      sorted.map((name) => join(folder, name, 'index.mjs')),
      'load and first task',
      rounds,
    );
    const [plain, ...others] = bundles as [Bundle, ...Bundle[]];
    const [plainMs = Number.NaN, ...otherMs] = starts;
    return [
      [
        'plain',
        `${kilobytes(plain.start.bytes)} at start, ${kilobytes(plain.all.bytes)} in all, ${plainMs.toFixed(0)} ms`,
      ],
      ...others.map((each, index): [string, string] => [
        sorted[index + 1] ?? '',
        [
          `+${kilobytes(each.start.bytes - plain.start.bytes)} at start`,
          `+${kilobytes(each.all.bytes - plain.all.bytes)} in all`,
          `${((otherMs[index] ?? Number.NaN) / plainMs).toFixed(2)} of the time`,
        ].join(', '),
      ]),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
