/**
 * `npm run mutate -- worker --sample 40 --seed 1`: changes the code in small ways, one at a time, and looks whether a test fails.
 *
 * Without a folder: all of them. `--changed <commit>` takes mutants of the lines that were changed since. What was found is
 * kept in .mutation and not tried again; `--again` tries survivors again, after a test was added. `--minutes` ends
 * a run; the same command goes on. `--tests test/worker,test/beat` uses these tests alone.
 */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { changedLines, distancesTo } from './changes.ts';
import { type Chosen, chosenOf } from './chosen-tests.ts';
import { Compiler } from './compiler.ts';
import { describeMutant, FOLDERS, instrument, type Mutant, sampleOf } from './mutants.ts';
import { readReviewed } from './reviewed.ts';
import { Sandbox } from './sandbox.ts';
import { scoreOf, scoreText } from './score.ts';
import { hashOf, type Recorded, type Result, State } from './state.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    changed: { type: 'string' },
    again: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '60' },
    tests: { type: 'string', default: 'test/' },
    'test-seconds': { type: 'string', default: '180' },
  },
});
const folders = positionals.length === 0 ? FOLDERS : positionals;
for (const folder of folders)
  if (!FOLDERS.includes(folder)) throw new Error(`'${folder}' given; ${FOLDERS.join(', ')} are allowed.`);
const numberOf = (name: 'sample' | 'seed' | 'minutes' | 'test-seconds'): number => {
  const number = Number(values[name]);
  if (!(number >= 0)) throw new Error(`--${name}: '${values[name]}' given; a number is needed.`);
  return number;
};
const sampleSize = numberOf('sample');
const testSeconds = numberOf('test-seconds');

// These look at texts, templates, types and bundles, or at another program: not at what instrumented code does.
const OTHER = /^test\/(docs|examples|infra|interop|mutation|tidy|types)[/.]/;
const RECORD_AT_ONCE = 6;
const HITS_OF_AN_ENDLESS_LOOP = 100;
const LEAST_HIT_LIMIT = 100_000;
// A busy machine takes several times as long as when the tests were recorded.
const SLOWER = 5;
const START_SECONDS = 60;

// 'exit' handlers run then, which end the tests' processes.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const endMs = performance.now() + numberOf('minutes') * 60_000;
const secondsLeft = (): number => (endMs - performance.now()) / 1000;

const folder = '.mutation';
const state = new State(folder);
const { mutants, texts } = await instrument();
const equivalent = equivalentKeys();
const inFolders = mutants.filter(({ folder: name, key }) => folders.includes(name) && !equivalent.has(key));
const sample = chosen();
if (sample.length === 0) {
  console.log('No mutants: no line of these folders was changed.');
  process.exit(0);
}
const sandbox = new Sandbox(folder, texts);
const compiler = new Compiler(folder);
const tests = nearestFirst();
const importers = new Map<string, ReadonlySet<string>>();
await recordAll();
await tryAll();
sandbox.stop();
report();

function equivalentKeys(): ReadonlySet<string> {
  const keys = new Set(mutants.map(({ key }) => key));
  const reviewed = readReviewed(readFileSync('test/mutation/survivors.md', 'utf8'));
  for (const { line } of reviewed.filter(({ key }) => !keys.has(key)))
    console.log(`The list has a mutant that is none any more: ${line}`);
  return new Set(reviewed.filter((each) => each.equivalent).map(({ key }) => key));
}

function chosen(): Mutant[] {
  if (values.changed === undefined)
    return folders.flatMap((name) =>
      sampleOf(
        inFolders.filter((mutant) => mutant.folder === name),
        sampleSize,
        numberOf('seed'),
      ),
    );
  const diff = execFileSync('git', ['diff', '--unified=0', '--no-color', values.changed, '--', 'lib'], {
    encoding: 'utf8',
  });
  const lines = changedLines(diff);
  const touched = inFolders.filter(({ file, line }) => lines.get(file)?.has(line));
  return sampleOf(touched, sampleSize, numberOf('seed'));
}

function nearestFirst(): string[] {
  const among = values.tests.split(',');
  const distances = distancesTo(new Set(sample.map(({ file }) => file)));
  return globSync('test/**/*.test.ts')
    .filter((path) => !OTHER.test(path) && distances.has(path) && among.some((start) => path.startsWith(start)))
    .toSorted((left, right) => (distances.get(left) ?? 0) - (distances.get(right) ?? 0) || (left < right ? -1 : 1));
}

/** Which mutants each test comes to. Of a run that is short of time, half goes here: tests that stand nearest, first. */
async function recordAll(): Promise<void> {
  const keys = new Map(mutants.map(({ id, key }) => [id, key]));
  const open = tests.filter((path) => state.recorded(path) === undefined);
  const stopAt = secondsLeft() / 2;
  for (let from = 0; from < open.length && secondsLeft() > stopAt; from += RECORD_AT_ONCE) {
    const batch = open.slice(from, from + RECORD_AT_ONCE);
    const { ended, failedFiles } = await sandbox.run({ tests: batch, atMostSeconds: secondsLeft(), record: true });
    if (ended === 'timed out') return;
    // A file whose tests are all skipped here says nothing of its own, and comes to no mutant.
    const recorded: Record<string, Recorded> = Object.fromEntries(
      batch.map((path) => [path, { hash: hashOf(path), seconds: 0, passed: !failedFiles.has(path), hits: {} }]),
    );
    for (const { path, seconds, hits } of sandbox.hits())
      recorded[path] = {
        hash: hashOf(path),
        seconds,
        passed: !failedFiles.has(path),
        hits: Object.fromEntries(Object.entries(hits).map(([id, count]) => [keys.get(id) ?? id, count])),
      };
    state.record(recorded);
    console.log(`recorded ${Math.min(from + RECORD_AT_ONCE, open.length)} of ${open.length} test files`);
    for (const path of failedFiles) console.log(`left out, it fails without any mutant: ${path}`);
  }
}

/** Tests that come to a mutant, as many as `--test-seconds` allow. */
function testsOf({ key, file }: Mutant): Chosen {
  const reaching = tests.flatMap((path) => {
    const recorded = state.recorded(path);
    const hits = recorded?.hits[key];
    return recorded?.passed && hits !== undefined ? [{ path, seconds: recorded.seconds, hits }] : [];
  });
  return chosenOf(reaching, importersOf(file), testSeconds);
}

function importersOf(file: string): ReadonlySet<string> {
  const known = importers.get(file);
  if (known !== undefined) return known;
  const found = new Set([...distancesTo([file])].flatMap(([path, distance]) => (distance === 1 ? [path] : [])));
  importers.set(file, found);
  return found;
}

/** Undefined where the time does not suffice to know. */
async function tryOne(mutant: Mutant): Promise<Result | undefined> {
  const { paths, seconds, hits } = testsOf(mutant);
  if (paths.length === 0) return tests.every((path) => state.recorded(path)) ? { status: 'not reached' } : undefined;
  const enough = START_SECONDS + SLOWER * seconds;
  const left = secondsLeft();
  const { ended, failed } = await sandbox.run({
    tests: paths,
    mutant: mutant.id,
    hitLimit: Math.max(LEAST_HIT_LIMIT, hits * HITS_OF_AN_ENDLESS_LOOP),
    atMostSeconds: Math.min(enough, left),
  });
  if (ended === 'timed out') return left < enough ? undefined : { status: 'timed out' };
  return ended === 'passed'
    ? { status: 'survived', by: `${paths.length} test files` }
    : { status: 'killed', by: failed ?? 'an error outside of a test' };
}

async function judged(mutant: Mutant): Promise<Result | undefined> {
  const result = await tryOne(mutant);
  if (result === undefined || !lives(result)) return result;
  const by = await compiler.refusal(mutant);
  return by === undefined ? result : { status: 'refused by the compiler', by };
}

function lives({ status }: Result): boolean {
  return status === 'survived' || status === 'not reached';
}

async function tryAll(): Promise<void> {
  let left = 0;
  for (const [index, mutant] of sample.entries()) {
    const known = state.result(mutant.key);
    if (known !== undefined && !(values.again && lives(known))) continue;
    const result = secondsLeft() <= 0 ? undefined : await judged(mutant);
    if (result === undefined) {
      left += 1;
      continue;
    }
    state.put(mutant.key, result);
    console.log(`${index + 1}/${sample.length} ${result.status}: ${describeMutant(mutant)} (${result.by ?? ''})`);
  }
  if (left > 0) console.log(`The time is over: ${left} mutants were not tried. The same command goes on.`);
}

function report(): void {
  const open = tests.filter((path) => state.recorded(path) === undefined).length;
  if (open > 0)
    console.log(`\n${open} of ${tests.length} test files were not recorded: they may kill what survives here.`);
  console.log('\nSurvivors, as lines of test/mutation/survivors.md:');
  for (const mutant of sample) {
    const result = state.result(mutant.key);
    if (result !== undefined && lives(result)) console.log(`- ${mutant.key} ${describeMutant(mutant)}: to be killed`);
  }
  console.log('');
  for (const name of folders) {
    const results = sample
      .filter((mutant) => mutant.folder === name)
      .flatMap((mutant) => state.result(mutant.key) ?? []);
    if (results.length === 0) continue;
    const score = scoreOf(results.filter((result) => !lives(result)).length, results.length);
    const of = (wanted: Result['status']): number => results.filter(({ status }) => status === wanted).length;
    const all = inFolders.filter((mutant) => mutant.folder === name).length;
    console.log(
      `lib/${name}: ${scoreText(score)}, ${of('refused by the compiler')} of them by the compiler, ${of('timed out')} by time; ${all} mutants, equivalent ones left out`,
    );
  }
}
