/** What docs/large-payloads.md shows runs, and its figures are those of the code. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import {
  DEFAULT_COMPRESS_ABOVE_BYTES,
  DEFAULT_PAYLOAD_KEEP_SECONDS,
  DEFAULT_STORE_ABOVE_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_PAYLOAD_JSON_VALUES,
  MAX_STORE_ABOVE_BYTES,
  PAYLOAD_RESERVE_SECONDS,
} from '../../lib/base/limits.ts';
import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/large-payloads.md', 'utf8');
const DAY_SECONDS = 86_400;

it('half a million rows go through a chain', () => {
  const output = runExample(page, ['// reports.ts'], {
    'reports.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app, { logger: { log: () => {} }, patienceMs: 0 });
const result = await report.delay();
await world.drain();
console.log(await result.get());`,
    },
  });
  expect(output.trim()).toBe('500000');
});

it('its figures are the limits', () => {
  const shown = (value: number): string => value.toLocaleString('en');
  expect(page).toContain(
    `up to ${MAX_PAYLOAD_BYTES / 2 ** 20} MiB, with up to ${shown(MAX_PAYLOAD_JSON_VALUES)} values`,
  );
  expect(page).toMatch(new RegExp(`compressAboveBytes. +. ${shown(DEFAULT_COMPRESS_ABOVE_BYTES)} `));
  expect(page).toMatch(new RegExp(`storeAboveBytes. +. ${shown(DEFAULT_STORE_ABOVE_BYTES)} `));
  expect(page).toContain(`to ${shown(MAX_STORE_ABOVE_BYTES)}; `);
  expect(page).toContain(`'${DEFAULT_PAYLOAD_KEEP_SECONDS / DAY_SECONDS}d'`);
  expect(page).toContain(`${PAYLOAD_RESERVE_SECONDS / DAY_SECONDS} days of \`keep\``);
});
