/** `npm run demo`: the blog on the embedded cloud. Real SDK calls, real queues and tables, on this machine. */
import { setTimeout as sleep } from 'node:timers/promises';

import { isFinal, type Logger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';

import { handler } from './api.ts';
import { app, checkComment, publishPost } from './tasks.ts';

const started = performance.now();
const counts = { received: 0, succeeded: 0, retried: 0, rejected: 0, failed: 0 };
const ticks = { heartbeat: 0, drafts: 0 };

function say(text: string): void {
  console.log(`${((performance.now() - started) / 1000).toFixed(2).padStart(6)} s  ${text}`);
}

/** The worker's log, told as a story. */
const logger: Logger = {
  log(level, message) {
    if (message.endsWith(' received')) counts.received += 1;
    if (message.includes(' succeeded in ')) counts.succeeded += 1;
    if (/blog\.heartbeat.* succeeded/.test(message)) ticks.heartbeat += 1;
    if (/publish-drafts.* succeeded/.test(message)) ticks.drafts += 1;
    if (message.includes(' retry: ')) counts.retried += 1;
    if (message.includes(' reject requeue=False')) counts.rejected += 1;
    if (message.includes(' raised unexpected')) counts.failed += 1;
    say(`worker   ${level === 'error' ? 'ERROR ' : ''}${message.replace(/\[([0-9a-f]{8})[^\]]*\]/, '[$1]')}`);
  },
};

async function post(comment: { id: string; author: string; text: string }): Promise<string> {
  const response = await handler({ body: JSON.stringify(comment) });
  const { task } = JSON.parse(response.body) as { task: string };
  say(`api      POST /comments ${comment.id} -> ${response.statusCode}, task ${task.slice(0, 8)}`);
  return task;
}

/** A heartbeat every ten seconds, and a cron entry at the full minute. */
async function seeTicks(): Promise<void> {
  for (const entry of await app.schedules.list())
    say(`beat     ${entry.name} by ${entry.firedBy}, next at ${entry.nextTicks[0]?.toISOString() ?? 'never'}`);
  const untilMs = Date.now() + 75_000;
  while (Date.now() < untilMs && (ticks.heartbeat === 0 || ticks.drafts === 0)) await sleep(250);
  const heart = await app.schedules.get('heartbeat');
  say(`beat     heartbeat ran ${heart?.totalRunCount} times, last for ${heart?.lastRunAt?.toISOString()}`);
}

async function main(): Promise<number> {
  say('cloud    starting SQS and DynamoDB on 127.0.0.1');
  const cloud = await LocalCloud.start(app, { logger, sweepEvery: '10s' });
  say(
    `cloud    SQS ${cloud.endpoints.sqs}, DynamoDB ${cloud.endpoints.dynamodb}; queues ${Object.keys(cloud.environment.queues).join(', ')}`,
  );
  try {
    const tasks = {
      fine: await post({ id: 'c1', author: 'ada', text: 'What a fine post!' }),
      spam: await post({ id: 'c2', author: 'bot', text: 'You are a WINNER of our casino' }),
      flaky: await post({ id: 'c3', author: 'eve', text: 'hello (flaky)' }),
      empty: await post({ id: 'c4', author: 'tim', text: ' ' }),
    };
    const dueMs = Date.now() + 4000;
    const delayed = await publishPost.applyAsync(['post-7'], { eta: new Date(dueMs) });
    say('client   posts.publish is to run in 4 s, by ETA');

    const verdict = await checkComment.applyAsync([{ id: 'c5', author: 'zoe', text: 'free money' }]);
    say(`client   result of ${verdict.id.slice(0, 8)}: ${JSON.stringify(await verdict.get({ timeout: 20 }))}`);
    const flaky = app.result(tasks.flaky);
    say(`client   comments.check of c3 is ${await flaky.state()}; waiting for its retries`);
    say(`client   result of ${flaky.id.slice(0, 8)}: ${JSON.stringify(await flaky.get({ timeout: 20 }))}`);
    const published = await delayed.get({ timeout: 20 });
    const lateMs = ((await delayed.dateDone())?.getTime() ?? 0) - dueMs;
    say(`client   result of ${delayed.id.slice(0, 8)}: "${published}", ${lateMs} ms after its ETA`);

    await app.result(tasks.empty).get({ timeout: 20, propagate: false });
    const [deadLetter] = await cloud.deadLetters('default');
    say(
      `dead     ${deadLetter?.attributes['task']}[${deadLetter?.attributes['task_id']?.slice(0, 8)}] lies in the dead-letter queue: ${deadLetter?.attributes['reason']}`,
    );

    await seeTicks();

    const states = await Promise.all(Object.values(tasks).map((id) => app.result(id).state()));
    await app.result(tasks.spam).get({ timeout: 20 });
    say(
      `done     received ${counts.received}, succeeded ${counts.succeeded}, retried ${counts.retried}, rejected ${counts.rejected}, failed ${counts.failed}`,
    );
    const asExpected =
      states.every(isFinal) &&
      counts.retried === 2 &&
      counts.rejected === 1 &&
      counts.failed === 0 &&
      deadLetter !== undefined &&
      lateMs >= 0 &&
      ticks.heartbeat > 0 &&
      ticks.drafts > 0;
    if (!asExpected) say(`done     NOT as expected: states ${states.join(', ')}`);
    return asExpected ? 0 : 1;
  } finally {
    await cloud.stop();
  }
}

process.exitCode = await main();
