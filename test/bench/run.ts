/** `npm run bench`: what a task costs, in figures that are counted wherever possible. `-- --quick` for CI. */
import { canvasCounts, canvasCpu } from './canvas.ts';
import { countRows, counts, historyRows } from './counts.ts';
import { cpu } from './cpu.ts';
import { bundle } from './bundle.ts';
import { devRows } from './dev.ts';
import { features } from './features.ts';
import { payloadRows } from './payloads.ts';
import { noticeRows } from './notices.ts';

const quick = process.argv.includes('--quick');
// Some ten minutes: a hundred thousand members over HTTP.
const huge = process.argv.includes('--huge');

function table(title: string, rows: readonly (readonly [string, string])[]): void {
  console.log(`\n${title}`);
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) console.log(`  ${name.padEnd(width)}  ${value}`);
}

table(
  'AWS requests and write units per task (counted at the SDK, embedded cloud)',
  countRows(await counts(quick ? 100 : 500, { slow: true })),
);
table('Large payloads (counted at the port and the SDK, embedded cloud)', await payloadRows());
table('The history', await historyRows(quick ? 100 : 500));
table('Mails about failures (requests, virtual time)', await noticeRows(quick ? 1000 : 10_000));
table(
  'Groups and chords, per member (counted at the SDK, embedded cloud)',
  await canvasCounts(quick ? [10] : huge ? [10, 1000, 100_000] : [10, 1000]),
);
table('Large groups (this machine)', await canvasCpu(quick ? 1000 : 100_000));
table('CPU in consume() with memory ports (median of rounds, this machine)', await cpu(quick ? 3 : 9));
table('Worker bundle and its load time', await bundle(quick ? 5 : 15));
table('What a worker that uses one more thing adds to its bundle and its start', await features(quick ? 3 : 9));
table('celeriac dev (this machine)', await devRows(quick ? 2 : 6));
