/**
 * `npm run mutate -- worker --sample 40 --seed 1`: changes the code in small ways, one at a time, and looks whether a test fails.
 *
 * Without a folder: all of them. First come the tests of the mutant's own folder; what survives there is tried with all other quick
 * tests that come to its line and a few seeds of the simulation: two scores. `--own` stops after the first, `--long` has those
 * that take long among the others. `--own-seconds` and `--other-seconds` bound what one mutant may take.
 * `--changed <commit>` takes mutants of the lines that were changed since. What was found is kept in .mutation and not tried again;
 * `--again` tries survivors again, after a test was added. `--minutes` ends a run; the same command goes on.
 * `--tests test/worker,test/flow` uses these tests alone.
 */
import { globSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { changedLines, distancesTo, git } from './changes.ts';
import { chosenOf } from './chosen-tests.ts';
import { Compiler } from './compiler.ts';
import { describeMutant, FOLDERS, instrument, type Mutant, sampleOf } from './mutants.ts';
import { Recording } from './recording.ts';
import { readReviewed } from './reviewed.ts';
import { Sandbox } from './sandbox.ts';
import { scoreOf, scoreText } from './score.ts';
import { type Result, type Stage, State } from './state.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    changed: { type: 'string' },
    again: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '60' },
    tests: { type: 'string', default: 'test/' },
    own: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    'own-seconds': { type: 'string', default: '180' },
    'other-seconds': { type: 'string', default: '120' },
  },
});
const folders = positionals.length === 0 ? FOLDERS : positionals;
for (const folder of folders)
  if (!FOLDERS.includes(folder)) throw new Error(`'${folder}' given; ${FOLDERS.join(', ')} are allowed.`);
const numberOf = (name: 'sample' | 'seed' | 'minutes' | 'own-seconds' | 'other-seconds'): number => {
  const number = Number(values[name]);
  if (!(number >= 0)) throw new Error(`--${name}: '${values[name]}' given; a number is needed.`);
  return number;
};
const sampleSize = numberOf('sample');
// Of tests for one mutant, as long as they took when they were recorded.
const mostSeconds: Readonly<Record<Stage, number>> = {
  own: numberOf('own-seconds'),
  others: numberOf('other-seconds'),
};

// These look at texts, templates, types and bundles, or at another program: not at what instrumented code does.
const OTHER = /^test\/(docs|examples|infra|interop|mutation|tidy|types)[/.]/;
const LONG = '.long.test.ts';
const SEEDS = 'test/mutation/seeds.ts';
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
const tests = nearestFirst();
// Of the texts that the sandbox gets, before any of them is edited.
for (const path of [...tests, ...mutants.map(({ file }) => file)]) state.hash(path);
const sandbox = new Sandbox(folder, texts);
const compiler = new Compiler(folder);
const recording = new Recording(state, sandbox, mutants, console.log);
const STAGES: readonly Stage[] = values.own ? ['own'] : ['own', 'others'];
for (const stage of STAGES) await tryAll(stage);
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
  const lines = changedLines(git(['diff', '--unified=0', '--no-color', values.changed, '--', 'lib']));
  const touched = inFolders.filter(({ file, line }) => lines.get(file)?.has(line));
  return sampleOf(touched, sampleSize, numberOf('seed'));
}

function nearestFirst(): string[] {
  const among = values.tests.split(',');
  const distances = distancesTo(new Set(sample.map(({ file }) => file)));
  const found = globSync('test/**/*.test.ts')
    .filter((path) => !OTHER.test(path) && distances.has(path) && among.some((start) => path.startsWith(start)))
    .toSorted((left, right) => (distances.get(left) ?? 0) - (distances.get(right) ?? 0) || (left < right ? -1 : 1));
  return among.some((start) => SEEDS.startsWith(start)) ? [SEEDS, ...found] : found;
}

/** The tests of a stage: those of the mutant's folder; or all others, of which those that take long only if asked. */
function testsOf(stage: Stage, { folder: name }: Mutant): string[] {
  const own = (path: string): boolean => path.startsWith(`test/${name}/`);
  if (stage === 'own') return tests.filter(own);
  return tests.filter((path) => !own(path) && (values.long || !path.endsWith(LONG)));
}

/** Which mutants the tests come to. Of a run that is short of time, half goes here: tests that stand nearest, first. */
async function recordFor(stage: Stage, these: readonly Mutant[]): Promise<void> {
  const open = new Set(these.flatMap((mutant) => recording.open(testsOf(stage, mutant), [mutant.file])));
  await recording.record(
    tests.filter((path) => open.has(path)),
    { secondsLeft, untilLeft: secondsLeft() / 2 },
  );
}

/** Undefined where the time does not suffice to know. */
async function tryOne(stage: Stage, mutant: Mutant): Promise<Result | undefined> {
  const candidates = testsOf(stage, mutant);
  const { paths, seconds, hits } = chosenOf(recording.reaching(candidates, mutant), nearTo(mutant), mostSeconds[stage]);
  if (paths.length === 0)
    return recording.open(candidates, [mutant.file]).length === 0 ? { status: 'not reached' } : undefined;
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

/** Tests that are run before any that are quicker. */
function nearTo({ file }: Mutant): ReadonlySet<string> {
  const direct = [...recording.importersOf(file)].flatMap(([path, distance]) => (distance === 1 ? [path] : []));
  return new Set([...direct, SEEDS]);
}

async function judged(stage: Stage, mutant: Mutant): Promise<Result | undefined> {
  const result = await tryOne(stage, mutant);
  if (result === undefined || !lives(result) || stage !== 'own') return result;
  const by = await compiler.refusal(mutant);
  return by === undefined ? result : { status: 'refused by the compiler', by };
}

/** Of the sample: all, and then what its own folder's tests left alive. */
function ofStage(stage: Stage): Mutant[] {
  return stage === 'own' ? sample : sample.filter(({ key }) => lives(state.result('own', key)));
}

function lives(result: Result | undefined): boolean {
  return result?.status === 'survived' || result?.status === 'not reached';
}

async function tryAll(stage: Stage): Promise<void> {
  const toTry = ofStage(stage).filter(({ key }) => {
    const known = state.result(stage, key);
    return known === undefined || (values.again && lives(known));
  });
  await recordFor(stage, toTry);
  let left = 0;
  for (const [index, mutant] of toTry.entries()) {
    const result = secondsLeft() <= 0 ? undefined : await judged(stage, mutant);
    if (result === undefined) {
      left += 1;
      continue;
    }
    state.put(stage, mutant.key, result);
    const tested = stage === 'own' ? 'tests of its folder' : 'all others';
    console.log(
      `${index + 1}/${toTry.length}, ${tested}: ${result.status}: ${describeMutant(mutant)} (${result.by ?? ''})`,
    );
  }
  if (left > 0) console.log(`The time is over: ${left} mutants were not tried. The same command goes on.`);
}

/** What a mutant came to in the end; undefined while a stage is still to come. */
function ended({ key }: Mutant): Result | undefined {
  const own = state.result('own', key);
  return lives(own) ? state.result('others', key) : own;
}

function report(): void {
  const unknown = new Set(
    sample.flatMap((mutant) => STAGES.flatMap((stage) => recording.open(testsOf(stage, mutant), [mutant.file]))),
  );
  if (unknown.size > 0)
    console.log(`\n${unknown.size} of ${tests.length} test files were not recorded: they may kill what survives here.`);
  console.log('\nSurvivors, as lines of test/mutation/survivors.md:');
  for (const mutant of sample)
    if (lives(values.own ? state.result('own', mutant.key) : ended(mutant)))
      console.log(`- ${mutant.key} ${describeMutant(mutant)}: to be killed`);
  console.log('');
  for (const name of folders) {
    const drawn = sample.filter((mutant) => mutant.folder === name);
    const own = drawn.flatMap(({ key }) => state.result('own', key) ?? []);
    if (own.length === 0) continue;
    const all = inFolders.filter((mutant) => mutant.folder === name).length;
    console.log(`lib/${name}, ${all} mutants, equivalent ones left out`);
    console.log(`  tests of its folder: ${shown(own)}`);
    if (!values.own) console.log(`  all quick tests: ${shown(drawn.flatMap((mutant) => ended(mutant) ?? []))}`);
  }
}

function shown(results: readonly Result[]): string {
  const of = (wanted: Result['status']): number => results.filter(({ status }) => status === wanted).length;
  const score = scoreOf(results.filter((result) => !lives(result)).length, results.length);
  return `${scoreText(score)}, ${of('refused by the compiler')} of them by the compiler, ${of('timed out')} by time`;
}
