/**
 * `npm run chaos -- --seconds 120 --sdk lean`: the simulation's programs on the embedded cloud, by real SDK calls over a bad network, with
 * worker processes killed at random; then the simulation's checkers.
 */
import { parseArgs } from 'node:util';

import { GetQueueAttributesCommand } from '#aws-sdk';
import { type AsyncResult, type GroupResult, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { seededRandom } from 'celeriac/testing';

import { isFinal } from '../../../lib/base/states.ts';
import { systemClock } from '../../../lib/base/time.ts';
import { rolesOf } from '../../support/iam/roles.ts';
import { Checker, type Sent } from '../world/check.ts';
import { Ledger } from '../world/ledger.ts';
import { newLoad } from '../world/load.ts';
import { Generator, type Program, type Tree } from '../world/program.ts';
import { WorkerPool } from './pool.ts';

const WORKERS = 3;
const KILL_EVERY_MS = 1500;
const INVOCATION_SECONDS = 4;
const SEND_EVERY_MS = 100;
const LONGEST_REST_MS = 180_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    // What the workers ask AWS with, as in `bundling` of TaskService.
    sdk: { type: 'string', default: 'lean' },
    seed: { type: 'string', default: String(systemClock.nowMs() % 1_000_000) },
  },
});
const sdk = values.sdk === 'full' ? 'full' : 'lean';
const random = seededRandom(Number(values.seed));
const ledger = new Ledger();
const load = newLoad(ledger, { schedules: false });
load.attach(systemClock);
let pool: WorkerPool | undefined;
const { gate } = rolesOf(load.app);
const cloud = await LocalCloud.start(load.app, {
  logger: silentLogger,
  invocation: INVOCATION_SECONDS,
  visibility: INVOCATION_SECONDS + 2,
  sweepEvery: 2,
  authorize: gate.authorize,
  worker: (deliveries, invocation) => pool?.consume(deliveries, invocation) ?? Promise.reject(new Error('not yet')),
});
pool = new WorkerPool(WORKERS, sdk, cloud.variables(), ledger, random);
console.log(
  `chaos: seed ${values.seed}, ${values.seconds} s, ${WORKERS} workers with the ${sdk} client, one killed every ${KILL_EVERY_MS / 1000} s`,
);

/** The same programs, in a minute instead of an hour. */
function quick(tree: Tree): Tree {
  if (tree.type === 'chain') return { ...tree, steps: tree.steps.map(quick) };
  if (tree.type === 'group') return { ...tree, members: tree.members.map(quick) };
  if (tree.type === 'chord')
    return { ...tree, header: tree.header.map(quick), body: quick(tree.body) as typeof tree.body };
  const { expires: _expires, countdown, ...leaf } = tree;
  const behaviour =
    leaf.behaviour.kind === 'slow' ? { kind: 'slow' as const, seconds: leaf.behaviour.seconds / 60 } : leaf.behaviour;
  return { ...leaf, behaviour, ...(countdown === undefined ? {} : { countdown: 1 + (countdown % 3) }) };
}

const sent: Sent[] = [];
const generator = new Generator(random);
async function send(index: number): Promise<void> {
  const drawn = generator.program(`p${index}`);
  const { revoke: _revoke, ...kept } = drawn;
  const program: Program = { ...kept, tree: quick(drawn.tree) };
  const sig = load.build(program) as unknown as { delay(): Promise<AsyncResult | GroupResult> };
  const atMs = systemClock.nowMs();
  const result = await sig.delay();
  sent.push({ program, resultIds: 'memberIds' in result ? result.memberIds : [result.id], atMs });
}

const { backend } = await load.app.ports();
const read = async (ids: readonly string[]): ReturnType<typeof backend.get> => backend.get(ids, systemClock.nowMs());

/** Until every result is final and no queue holds anything. */
async function rest(): Promise<void> {
  const untilMs = systemClock.nowMs() + LONGEST_REST_MS;
  while (systemClock.nowMs() < untilMs) {
    const records = await read(sent.flatMap((each) => each.resultIds));
    if (records.every((record) => record !== undefined && isFinal(record.status)) && (await queued()) === 0) return;
    await systemClock.sleep(1000);
  }
  ledger.violate('everything comes to rest', `after ${LONGEST_REST_MS / 1000} s ${await queued()} messages are left`);
}

async function queued(): Promise<number> {
  const names = [
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
  ] as const;
  const counts = await Promise.all(
    Object.values(cloud.environment.queues).map(async (QueueUrl) => {
      const { Attributes } = await cloud.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }),
      );
      return names.reduce((sum, name) => sum + Number(Attributes?.[name] ?? 0), 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

try {
  pool.rage(KILL_EVERY_MS);
  const endMs = systemClock.nowMs() + Number(values.seconds) * 1000;
  for (let index = 0; systemClock.nowMs() < endMs; index += 1) {
    await send(index);
    await systemClock.sleep(SEND_EVERY_MS);
  }
  pool.calm();
  await rest();
  const checker = new Checker(read, ledger, 0.1);
  await checker.check(sent);
  const ids = new Set([...ledger.runs.map((run) => run.id), ...sent.flatMap((each) => each.resultIds)]);
  pool.stop();
  await systemClock.sleep(300);
  const network = Object.entries(pool.network).map(([kind, count]) => `${kind} ${count}`);
  console.log(
    `programs ${sent.length}, tasks ${ids.size}, runs ${ledger.runs.length}, kills ${pool.kills}, kinds of requests that IAM allowed ${gate.recorded.length}, network: ${network.join(', ')}`,
  );
  for (const denied of gate.denied) ledger.violate('each function has the rights that it needs', denied);
  console.log(`violations: ${ledger.violations.length}`);
  for (const { rule, what } of ledger.violations.slice(0, 10)) console.log(`  ${rule}: ${what.slice(0, 600)}`);
  process.exitCode = ledger.violations.length === 0 ? 0 : 1;
} finally {
  pool.stop();
  await cloud.stop();
}
