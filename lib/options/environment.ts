/** The environment of a deployed function. The one place that reads it. */
import { type Environment, ENVIRONMENT } from './manifest.ts';
import { MissingEnvironment } from '../base/errors.ts';
import { integerIn } from '../base/checks.ts';
import { DEFAULT_TIMER_SHARDS } from '../base/limits.ts';
import type { LogLevel } from '../ports/log.ts';
import { unpackTaskNames } from '../base/task-names.ts';

/** @throws MissingEnvironment naming the first variable that is absent or unreadable. */
export function readEnvironment(source: Readonly<Record<string, string | undefined>> = process.env): Environment {
  const text = (name: string): string => {
    const value = source[name];
    if (value === undefined || value === '') {
      throw new MissingEnvironment(
        `The environment variable ${name} is missing, so there is no queue to send to. In a deployed function call ` +
          `service.grantEnqueue(fn) in the CDK stack; in tests use celeriac/testing or alwaysEager: true; locally use celeriac/local.`,
      );
    }
    return value;
  };
  const map = (name: string, value: string): Record<string, string> => {
    try {
      const parsed: unknown = JSON.parse(value);
      if (
        typeof parsed === 'object' &&
        parsed !== null &&
        Object.values(parsed).every((entry) => typeof entry === 'string')
      ) {
        return parsed as Record<string, string>;
      }
    } catch {
      // Told below, with the value's name and without the value: it may hold account ids.
    }
    throw new MissingEnvironment(
      `The environment variable ${name} is not a JSON object of strings. service.grantEnqueue(fn) writes it.`,
    );
  };
  const queues = map(ENVIRONMENT.queues, text(ENVIRONMENT.queues));
  return {
    app: source[ENVIRONMENT.app] ?? 'celeriac',
    queues,
    deadLetterQueues: map(ENVIRONMENT.deadLetterQueues, source[ENVIRONMENT.deadLetterQueues] ?? '{}'),
    resultsTable: text(ENVIRONMENT.resultsTable),
    stateTable: text(ENVIRONMENT.stateTable),
    timerShards: integerIn(
      Number(source[ENVIRONMENT.timerShards] ?? DEFAULT_TIMER_SHARDS),
      1,
      64,
      ENVIRONMENT.timerShards,
    ),
    taskQueues: map(ENVIRONMENT.taskQueues, source[ENVIRONMENT.taskQueues] ?? '{}'),
    externalQueues: (source[ENVIRONMENT.externalQueues] ?? '').split(',').filter((name) => name !== ''),
    defaultQueue: source[ENVIRONMENT.defaultQueue] ?? Object.keys(queues)[0] ?? 'default',
    ...(source[ENVIRONMENT.wakeQueue] ? { wakeQueue: source[ENVIRONMENT.wakeQueue] } : {}),
    ...(source[ENVIRONMENT.rulePrefix] ? { rulePrefix: source[ENVIRONMENT.rulePrefix] } : {}),
  };
}

const LAMBDA_LEVELS: Readonly<Record<string, LogLevel>> = {
  TRACE: 'debug',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
  FATAL: 'error',
};

/** The application log level of the Lambda function that this process is; undefined elsewhere. */
export function lambdaLogLevel(
  source: Readonly<Record<string, string | undefined>> = process.env,
): LogLevel | undefined {
  if (!source['AWS_LAMBDA_FUNCTION_NAME']) return undefined;
  // Set where the function logs in JSON.
  return LAMBDA_LEVELS[source['AWS_LAMBDA_LOG_LEVEL']?.toUpperCase() ?? ''] ?? 'info';
}

/**
 * What a deployed function was told of the names of its service's tasks: `unknown` where they took too much room,
 * undefined where this is no deployed function.
 */
export function readTaskNames(
  source: Readonly<Record<string, string | undefined>> = process.env,
): readonly string[] | 'unknown' | undefined {
  if (source[ENVIRONMENT.queues] === undefined) return undefined;
  const packed = source[ENVIRONMENT.tasks];
  return (packed === undefined ? undefined : unpackTaskNames(packed)) ?? 'unknown';
}
