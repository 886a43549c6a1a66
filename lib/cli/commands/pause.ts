/** `celeriac pause` and `celeriac resume`: a queue whose workers get nothing for a while. */
import { type FirstExpiry, firstExpiry, type Waiting } from '../../operate/first-expiry.ts';
import { withLanes } from '../../operate/known-queue.ts';
import { type Paused, type PauseParts, pauseQueue, resumeQueue } from '../../operate/pause.ts';
import type { CommandModule, JsonSchema } from '../command.ts';
import { eventSourcesOf } from '../event-sources.ts';
import { CommandFailed } from '../failures.ts';
import { instant, span } from '../format.ts';
import type { Service } from '../service.ts';
import { type CommonOptions, notes, onServiceAsking, onService, type Tools } from '../tools.ts';
import { TIME } from './task-schema.ts';

interface PauseOptions extends CommonOptions {
  readonly why?: string;
  readonly by?: string;
}

const TEXT = { type: 'string' };

/** A line of `celeriac pause --json`. */
export const PAUSE_SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    queue: TEXT,
    since: TIME,
    by: TEXT,
    why: TEXT,
    eventSource: { enum: ['off', 'changing', 'none'] },
    ready: { type: 'integer' },
    keptSeconds: { type: 'integer' },
    oldestSeconds: { type: 'integer' },
    firstExpires: TIME,
  },
  required: ['queue', 'since', 'by', 'eventSource'],
  additionalProperties: false,
};

/** A line of `celeriac resume --json`. */
export const RESUME_SCHEMA: JsonSchema = {
  type: 'object',
  properties: { queue: TEXT, resumed: { const: true }, since: TIME, by: TEXT },
  required: ['queue', 'resumed'],
  additionalProperties: false,
};

const RIGHTS = 'service.grantPause(role)';

export const pause: CommandModule = {
  define(command, tools) {
    onServiceAsking(command.argument('<queue>', 'name of the queue'))
      .description('Lets the workers of a queue get nothing until it is resumed. What runs goes on to its end.')
      .option('--why <text>', 'for whoever finds it paused')
      .option('--by <name>', 'who pauses it (default: $USER)')
      .addHelpText('after', notes(['pause mail --why "the relay is down"', 'pause mail --yes --json'], RIGHTS))
      .action((queue: string, options: PauseOptions) => stop(queue, options, tools));
  },
};

export const resume: CommandModule = {
  define(command, tools) {
    onService(command.argument('<queue>', 'name of the queue'))
      .description('Lets the workers of a paused queue go on.')
      .addHelpText('after', notes(['resume mail'], RIGHTS))
      .action((queue: string, options: CommonOptions) =>
        tools.with(options, async ({ service, output }) => {
          const was = await resumeQueue(queue, await partsOf(service, tools));
          if (was === undefined) throw new CommandFailed(`Queue '${queue}' was not paused.`);
          const since = new Date(was.sinceMs);
          output.show({ queue, resumed: true, since, by: was.by }, () => `Queue '${queue}' goes on.`);
          output.say(`It was paused by ${was.by} ${instant(since, tools.terminal.clock.nowMs(), options)}.`);
        }),
      );
  },
};

async function stop(queue: string, options: PauseOptions, tools: Tools): Promise<void> {
  await tools.with(options, async ({ service, output }) => {
    const { why, by = tools.terminal.variables['USER'] ?? 'somebody' } = options;
    const parts = await partsOf(service, tools);
    const [depth] = await service.depths.count([{ queue }]);
    await tools.ask(
      `Workers of queue '${queue}' get nothing until it is resumed${depth === undefined ? '' : `; ${depth.ready} messages are ready, ${depth.inFlight} in flight`}.`,
      options,
    );
    const paused = await pauseQueue(queue, { by, ...(why === undefined ? {} : { why }) }, parts);
    const waiting = await waitingIn(queue, service);
    const { keptSeconds, oldestSeconds } = waiting;
    const nowMs = tools.terminal.clock.nowMs();
    const expiry = firstExpiry(waiting, nowMs);
    const row = rowOf(paused, {
      ready: depth?.ready,
      keptSeconds,
      oldestSeconds: oldestSeconds === undefined ? undefined : Math.round(oldestSeconds),
      firstExpires: expiry?.at,
    });
    output.show(
      row,
      () => `Queue '${queue}' is paused by ${paused.by}${paused.why === undefined ? '' : `: ${paused.why}`}.`,
    );
    if (paused.eventSource === 'changing')
      output.say('Its event source is still being switched off: look at celeriac inspect queues.');
    if (keptSeconds !== undefined)
      output.say(
        `SQS deletes a message ${span(keptSeconds * 1000)} after it was sent, paused or not: resume before that. ${expiryText(expiry, waiting, nowMs, options)}`,
      );
    output.say(`Go on: celeriac resume ${queue}`);
  });
}

function rowOf(
  { queue, sinceMs, by, why, eventSource }: Paused,
  facts: Readonly<Record<'ready' | 'keptSeconds' | 'oldestSeconds', number | undefined>> & {
    readonly firstExpires: Date | undefined;
  },
): Readonly<Record<string, unknown>> {
  return { queue, since: new Date(sinceMs), by, why, eventSource, ...facts };
}

/** Of the queue and its lanes together. */
async function waitingIn(queue: string, { depths, environment, requests, isLocal }: Service): Promise<Waiting> {
  const names = withLanes(queue, environment).filter((name) => Object.hasOwn(environment.queues, name));
  const counts = await depths.count(names.map((name) => ({ queue: name })));
  const kept = await Promise.all(names.map((name) => depths.retentionSeconds(name)));
  const ages = isLocal ? [] : await Promise.all(names.map((name) => ageIn(environment.queues[name] ?? '', requests)));
  const known = ages.filter((age) => age !== undefined);
  const all = counts.map((depth) => (depth === undefined ? NaN : depth.ready + depth.inFlight + depth.delayed));
  const messages = all.reduce((sum, count) => sum + count, 0);
  return {
    keptSeconds: kept.includes(undefined) ? undefined : Math.min(...kept.map((seconds) => seconds ?? Infinity)),
    messages: Number.isNaN(messages) ? undefined : messages,
    oldestSeconds: known.length === 0 ? undefined : Math.max(...known),
  };
}

/** It is told by the way: whoever may not ask CloudWatch, and an emulator without it, pauses all the same. */
async function ageIn(url: string, requests: Service['requests']): Promise<number | undefined> {
  try {
    return await requests.oldestMessageSeconds(url.slice(url.lastIndexOf('/') + 1));
  } catch {
    return undefined;
  }
}

function expiryText(
  expiry: FirstExpiry | undefined,
  { messages = 0, oldestSeconds = 0 }: Waiting,
  nowMs: number,
  options: CommonOptions,
): string {
  if (expiry === undefined) return `How old the ${messages} messages are that lie there, nobody tells here.`;
  const when = instant(expiry.at, nowMs, options);
  return expiry.by === 'empty'
    ? `None lies there now: the first to go would be one that is sent from now on, ${when}.`
    : `The first goes about ${when}: CloudWatch says that the oldest is ${span(oldestSeconds * 1000)} old, which is some minutes late and leaves out what was received three times.`;
}

async function partsOf(service: Service, { terminal }: Tools): Promise<PauseParts> {
  const { environment } = service;
  const { pauses } = await service.app.ports();
  if (pauses === undefined) throw new CommandFailed('This service has no store of pauses.');
  const parts = { environment, pauses, clock: terminal.clock };
  const sources = eventSourcesOf(service);
  return sources === undefined ? parts : { ...parts, sources };
}
