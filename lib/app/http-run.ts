/** Runs an HTTP task: its argument becomes a request, the answer its result. */
import { InvalidArguments } from '../base/errors.ts';
import { type Exchange, exchange, jsonOf, retvalOf } from '../http/exchange.ts';
import { checkHeaders } from '../http/headers.ts';
import { passingOf } from '../http/request.ts';
import { lambdaLogLevel } from '../options/environment.ts';
import { keysOf, type ResolvedHttpTask, type ResolvedTarget, resolveHttpTask } from '../options/http-options.ts';
import type { App } from '../producer/app.ts';
import type { TaskContext } from '../task/context.ts';
import { retryDelaySeconds } from '../task/retry.ts';
import type { RunHttp } from './http-definition.ts';

/** @throws HttpTargetRefused, HttpRequestFailed, InvalidArguments; Retry for what may pass */
export const runHttpTask: RunHttp = async (app, name, options, context, args) => {
  const task = resolveHttpTask(name, options);
  if (args.length > 1)
    throw new InvalidArguments(
      `Task '${name}' was given ${args.length} arguments; an HTTP task takes one. Give an object with them as its fields.`,
    );
  const [payload] = args;
  const url = typeof task.url === 'function' ? task.url(payload as never) : task.url;
  try {
    const answered = await exchange(
      { ...written(name, task, url, payload), method: task.method, ...(await partsOf(app, task, context)) },
      app,
    );
    return task.anyJson ? jsonOf(answered) : retvalOf(answered);
  } catch (error) {
    return retryPassing(app, name, context, error);
  }
};

/** @throws Retry for what may pass, else the error */
function retryPassing(app: App, name: string, context: TaskContext, error: unknown): never {
  const passing = passingOf(error);
  if (passing === undefined) throw error;
  const delaySeconds = retryDelaySeconds(context.request.retries, app.registry.get(name).options, app.random);
  return context.retry({ exc: error, countdown: Math.max(delaySeconds, passing.retryAfterSeconds ?? 0) });
}

/** What requests of a target have in common. @throws InvalidOption where a function gives what may not be sent */
export async function partsOf(
  app: Pick<App, 'clock'>,
  { what, headers, secret, rules, timeoutSeconds, redirects }: ResolvedTarget,
  context: TaskContext,
): Promise<Pick<Exchange, 'headers' | 'keys' | 'id' | 'rules' | 'redirects' | 'bounds' | 'loopback'>> {
  const ownHeaders: unknown = typeof headers === 'function' ? await headers() : (headers ?? {});
  checkHeaders(ownHeaders, `headers of ${what}`);
  const given = typeof secret === 'function' ? await secret() : secret;
  return {
    headers: ownHeaders,
    keys: secret === undefined ? [] : keysOf(given, `secret of ${what}`),
    id: context.request.id,
    rules,
    redirects,
    bounds: {
      deadlineMs: app.clock.nowMs() + Math.min(timeoutSeconds, context.remainingTime()) * 1000,
      signal: context.signal,
    },
    // A function's own machine has Lambda's interface to it, and nothing that is meant.
    loopback: lambdaLogLevel() === undefined,
  };
}

function written(
  name: string,
  { inUrl, form }: ResolvedHttpTask,
  url: string,
  payload: unknown,
): Pick<Exchange, 'url' | 'body' | 'contentType'> {
  const contentType = form ? 'application/x-www-form-urlencoded' : 'application/json';
  if (!inUrl) {
    const body = form ? fieldsOf(name, payload).toString() : JSON.stringify(payload ?? null);
    return { url, body, contentType };
  }
  const fields = fieldsOf(name, payload).toString();
  return { url: fields === '' ? url : withFields(url, fields), body: undefined, contentType };
}

/** As text: a parsed URL has dropped what makes it one to be refused. */
function withFields(url: string, fields: string): string {
  const [address = '', ...fragment] = url.split('#');
  return [`${address}${address.includes('?') ? '&' : '?'}${fields}`, ...fragment].join('#');
}

/** Texts, numbers and flags; a list stands as the same name again. @throws InvalidArguments */
function fieldsOf(name: string, payload: unknown): URLSearchParams {
  const fields = new URLSearchParams();
  if (payload === undefined || payload === null) return fields;
  if (typeof payload !== 'object' || Array.isArray(payload))
    throw new InvalidArguments(`Task '${name}' writes its argument as fields: an object is allowed, or nothing.`);
  for (const [key, value] of Object.entries(payload)) {
    for (const each of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      if (each === null || each === undefined) continue;
      if (typeof each === 'object')
        throw new InvalidArguments(
          `Task '${name}' writes its argument as fields: '${key}' has fields of its own. Use body: 'json' and 'POST'.`,
        );
      fields.append(key, String(each as string | number | boolean));
    }
  }
  return fields;
}
