/** What docs/telemetry.md shows runs, and its tables name what there is. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/telemetry.md', 'utf8');

it('a chain is one trace', () => {
  const output = runExample(page, ['// tracing.ts', '// shipping.ts'], {
    'shipping.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `import { provider } from './tracing.ts';
import { trace } from '@opentelemetry/api';
console.dir = ((span: { name: string; kind: number; traceId: string; attributes: Record<string, unknown> }) =>
  console.log([span.name, span.attributes['celery.task_name'], span.traceId].join(' '))) as never;
const world = new World(app);
await trace.getTracer('test').startActiveSpan('request', async (span) => {
  await order('o-1');
  span.end();
});
await world.drain();
await provider.forceFlush();`,
    },
  });
  const spans = output
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const [traceId] = spans.flatMap(([name, , id]) => (name === 'request' ? [id] : []));
  const shown = [...page.matchAll(/└─ (\w+ mail) +(orders\.\w+)/g)].map(
    ([, name = '', task = '']) => `${name} ${task}`,
  );
  const own = spans.filter((parts) => parts.at(-1) === traceId).map((parts) => parts.slice(0, -1).join(' '));
  expect(shown).toHaveLength(4);
  expect(own.filter((name) => name !== 'request ').toSorted()).toEqual(shown.toSorted());
});

it('each metric and each of its options has a row', () => {
  const [, metrics = ''] = page.split('## Metrics');
  const firsts = [...metrics.matchAll(/^\| (`.*?) +\| (?:Count|Milliseconds)/gm)].map(([, cell = '']) => cell);
  const named = firsts.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  const source = readFileSync('lib/worker/metric-fields.ts', 'utf8');
  const written = [...source.matchAll(/\]: '(\w+)'|values\['(\w+)'\]/g)].map(([, count, time]) => count ?? time);
  expect(named.map(String).toSorted()).toEqual(written.map(String).toSorted());
  const options = [...metrics.matchAll(/^\| `(by|namespace)` /gm)].map(([, name]) => name);
  expect(options).toEqual(['by', 'namespace']);
});

it('each option has a row', () => {
  const source = readFileSync('lib/telemetry/open-telemetry.ts', 'utf8');
  const options = /interface OpenTelemetryOptions \{([\s\S]*?)\n\}/.exec(source)?.[1] ?? '';
  const declared = [...options.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name = '']) => name);
  const section = /## Options([\s\S]*?)## /.exec(page)?.[1] ?? '';
  const named = [...section.matchAll(/^\| `(\w+)` /gm)].map(([, name = '']) => name);
  expect(declared.length).toBeGreaterThan(0);
  expect(named.toSorted()).toEqual(declared.toSorted());
});
