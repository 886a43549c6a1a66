/** Runs before each test file over instrumented code: ends endless loops, and notes which mutants the file comes to. */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

import fc from 'fast-check';
import { afterAll, expect } from 'vitest';

interface StrykerNamespace {
  hitCount?: number;
  hitLimit?: number;
  readonly mutantCoverage?: { readonly static: Readonly<Record<string, number>> };
}

// What a property does not find in this time, it rarely finds at all, and every mutant would wait for it.
const PROPERTY_MS = 4000;
fc.configureGlobal({ ...fc.readConfigureGlobal(), interruptAfterTimeLimit: PROPERTY_MS });

// The name and fields that the instrumented code reads and writes.
const stryker = ((globalThis as { __stryker__?: StrykerNamespace }).__stryker__ ??= {});
const { MUTATION_HIT_LIMIT: limit, MUTATION_COVERAGE: folder } = process.env;

if (limit !== undefined) {
  stryker.hitCount = 0;
  stryker.hitLimit = Number(limit);
}

if (folder !== undefined) {
  const beganMs = performance.now();
  afterAll(() => {
    const path = relative(process.cwd(), expect.getState().testPath ?? '');
    const seconds = (performance.now() - beganMs) / 1000;
    const hits = stryker.mutantCoverage?.static ?? {};
    writeFileSync(`${folder}/${encodeURIComponent(path)}.json`, JSON.stringify({ path, seconds, hits }));
  });
}
