/** A message with the trace that it belongs to, where the app has telemetry. */
import { OWN_TASKS } from '../canvas/own-tasks.ts';
import type { MessageSpan } from '../ports/telemetry.ts';
import type { Message } from '../wire/message.ts';
import type { App } from './app.ts';

export interface Traced {
  readonly message: Message;
  readonly span?: MessageSpan | undefined;
}

export function traceMessage(app: Pick<App, 'settings' | 'eager'>, message: Message): Traced {
  const { telemetry } = app.settings;
  if (telemetry === undefined) return { message };
  // What runs in its caller is not sent; the library's own tasks are no concern of users: what they send belongs to the trace.
  if (app.eager !== undefined || message.task.startsWith(OWN_TASKS))
    return { message: { ...message, headers: telemetry.passOn(message.headers) } };
  const { headers, span } = telemetry.message(message);
  return { message: { ...message, headers }, span };
}
