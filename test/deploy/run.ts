/**
 * `npm run deploy:test`, `npm run localstack`: the example is deployed on an emulator of AWS that the project has not written, and
 * does its work there. `-- --only conformance`, `scenario`, `monitor`, `large` or `without-cdk` is a part of it.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { blogScenario } from './blog-scenario.ts';
import { dynamodbLocalConformance, emulatorConformance } from './conformance.ts';
import { commandsScenario } from './commands-scenario.ts';
import { connect } from './connect.ts';
import { drillsScenario } from './drills-scenario.ts';
import { type Emulator, startMinistack } from './emulator.ts';
import { LambdaApi } from './lambda-api.ts';
import { emptyBuckets, largeScenario } from './large-scenario.ts';
import { leftovers } from './leftovers.ts';
import { listeningOutside } from './listening.ts';
import { startLocalstack } from './localstack.ts';
import { run } from './processes.ts';
import { outboxScenario } from './outbox-scenario.ts';
import { readmeLines } from './readme-lines.ts';
import { Abandoned, equal, Report } from './report.ts';
import { monitorScenario } from './monitor-scenario.ts';
import { Roles } from './roles.ts';
import { updateScenario } from './update-scenario.ts';
import { withoutCdkScenario } from './without-cdk-scenario.ts';

const EMULATORS = { ministack: startMinistack, localstack: startLocalstack };
const DRILLS = "--app 'tsx --conditions=@celeriac/source test/deploy/drills/stack.ts' CeleriacDrills";

const report = new Report();

type Deploy = (version: string) => Promise<string>;

/** How the drills are deployed. */
function drillsOf({ environment, folder }: Emulator): {
  readonly deploy: Deploy;
  readonly destroy: () => Promise<string>;
} {
  // Two at once need a folder each.
  const output = `--output ${join(folder, 'drills.out')}`;
  return {
    deploy: async (version) => {
      // The page of their monitor is a part of its bundle.
      if (version === 'first') await run('npm run page', environment);
      return run(`npx cdk deploy ${DRILLS} ${output} -c version=${version}`, environment);
    },
    destroy: () => run(`npx cdk destroy --force ${DRILLS} ${output}`, environment),
  };
}

/** The whole story: the example, then the drills. */
async function scenario(emulator: Emulator): Promise<void> {
  const cdk = (line: string): Promise<string> => run(line, emulator.environment);
  const { deploy, destroy } = drillsOf(emulator);
  const asOnAws = grantsOf(emulator);
  for (const line of readmeLines()) await report.needed(line, async () => void (await cdk(line)));
  await asOnAws();
  const afterSweep = await blogScenario(report, emulator);
  await commandsScenario(report, emulator);
  if (emulator.enforcesRoles) await report.step('what a role does not grant is refused', () => refused(emulator));
  await report.step('the same again: no changes', async () => {
    const output = await cdk('npx cdk deploy');
    if (!output.includes('(no changes)')) throw new Error(output.slice(-2000));
    await cdk('npx cdk diff --fail --method=template');
  });
  await report.step('what a caller that died had put into its transaction was sent by a sweep', afterSweep);
  await report.needed('cdk deploy of the drills', async () => void (await deploy('first')));
  await asOnAws();
  const { first: drills } = await import('./drills/first.ts');
  const environment = await connect(drills.app, emulator, 'CeleriacDrills-TasksSweeper');
  // The drills wait for sweeps: there is time for the others.
  await Promise.all([
    drillsScenario({ report, drills, environment }),
    largeScenario({ report, drills, environment }),
    outboxScenario({ report, drills, environment }, emulator),
    monitorScenario(report, emulator),
    withoutCdk(emulator, asOnAws),
  ]);
  await updateScenario({ report, drills, environment, emulator, deploy: () => deploy('second').then(asOnAws) });
  await report.step('nothing listens outside of this machine', async () => equal(listeningOutside(), []));
  await report.step('cdk destroy leaves nothing', async () => {
    await cdk('npx cdk destroy --force CeleriacBlog');
    await emptyBuckets('celeriacdrills');
    await destroy();
    equal(await leftovers(emulator.endpoint, 'Celeriac'), []);
  });
}

/** The monitor of the drills, by itself. */
async function monitor(emulator: Emulator): Promise<void> {
  await report.needed('npx cdk bootstrap', async () => void (await run('npx cdk bootstrap', emulator.environment)));
  await report.needed('cdk deploy of the drills', async () => void (await drillsOf(emulator).deploy('first')));
  await grantsOf(emulator)();
  await monitorScenario(report, emulator);
}

/** Large arguments and results of the drills, and callers of the outbox that die, by themselves. */
async function large(emulator: Emulator): Promise<void> {
  await report.needed('npx cdk bootstrap', async () => void (await run('npx cdk bootstrap', emulator.environment)));
  const { deploy, destroy } = drillsOf(emulator);
  await report.needed('cdk deploy of the drills', async () => void (await deploy('first')));
  await grantsOf(emulator)();
  const { first: drills } = await import('./drills/first.ts');
  const environment = await connect(drills.app, emulator, 'CeleriacDrills-TasksSweeper');
  await Promise.all([
    largeScenario({ report, drills, environment }),
    outboxScenario({ report, drills, environment }, emulator),
  ]);
  await report.step('cdk destroy leaves no bucket', async () => {
    await emptyBuckets('celeriacdrills');
    await destroy();
    equal(
      (await leftovers(emulator.endpoint, 'Celeriac')).filter((name) => name.startsWith('bucket')),
      [],
    );
  });
}

/** Gives roles what they have on AWS without being told. */
function grantsOf({ enforcesRoles, endpoint }: Emulator): () => Promise<void> {
  return async () => {
    if (enforcesRoles) await new Roles(endpoint).grantAsOnAws();
  };
}

/** The page on deploying without CDK, done. */
async function withoutCdk(emulator: Emulator, asOnAws: () => Promise<void>): Promise<void> {
  Object.assign(process.env, emulator.environment);
  if (emulator.awsCli === undefined) report.note(`Without CDK: not on ${emulator.name}.`);
  else await withoutCdkScenario({ report, emulator, awsCli: emulator.awsCli, asOnAws });
}

/** Shows that the emulator would see a right that is missing. */
async function refused({ endpoint }: Emulator): Promise<string> {
  const lambda = new LambdaApi(endpoint);
  const { FunctionName } = await lambda.function('CeleriacBlog-Api');
  const event = { body: JSON.stringify({ id: 'c8', author: 'eve', text: 'hello' }) };
  const allow = await new Roles(endpoint).deny('CeleriacBlog-ApiServiceRole');
  try {
    const answer = JSON.stringify(await lambda.invoke(FunctionName, event));
    if (!/AccessDenied|not authorized/.test(answer)) throw new Error(`it answered ${answer}`);
  } finally {
    await allow();
  }
  const { statusCode } = (await lambda.invoke(FunctionName, event)) as { statusCode: number };
  equal(statusCode, 202, 'with its rights');
  return 'and granted is granted';
}

const { values } = parseArgs({
  options: { emulator: { type: 'string', default: 'ministack' }, only: { type: 'string' } },
});
const startEmulator = new Map(Object.entries(EMULATORS)).get(values.emulator);
if (startEmulator === undefined)
  throw new Error(`--emulator: '${values.emulator}' given; ${Object.keys(EMULATORS).join(' and ')} are allowed.`);
const log = `deploy-test-${values.emulator}.log`;
try {
  const emulator = await report.needed(`${values.emulator} starts`, () => startEmulator(log));
  try {
    if (values.only === undefined || values.only === 'conformance') {
      await emulatorConformance(report, emulator);
      await dynamodbLocalConformance(report);
    }
    if (values.only === undefined || values.only === 'scenario') await scenario(emulator);
    if (values.only === 'monitor') await monitor(emulator);
    if (values.only === 'large') await large(emulator);
    if (values.only === 'without-cdk') await withoutCdk(emulator, grantsOf(emulator));
  } finally {
    await emulator.stop();
  }
} catch (error) {
  if (!(error instanceof Abandoned)) throw error;
}
process.exitCode = report.end();
if (process.exitCode !== 0) console.log(`The emulator's log, with that of the functions: ${log}`);
process.exit();
