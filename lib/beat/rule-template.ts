/** The message of a rule: a template that EventBridge fills with the time of the firing. */
import { encodeMessage } from '../wire/encode-message.ts';
import { EVENTBRIDGE_MAX_TEMPLATE_CHARACTERS } from '../base/limits.ts';
import type { App } from '../producer/app.ts';
import type { ScheduleEntry } from './entry.ts';
import { TIME_VARIABLE } from '../schedules/eventbridge.ts';
import { derivedId } from '../base/ids.ts';
import type { BeatHeader } from '../wire/rule-message.ts';
import { prepareTick } from './tick.ts';

export type RuleTemplate =
  | { readonly ok: true; readonly queue: string; readonly template: string }
  | { readonly ok: false; readonly queue: string; readonly reason: string };

/** @throws what a call throws: unknown queue, options, message too large. */
export function ruleTemplate(app: App, entry: ScheduleEntry): RuleTemplate {
  const { message, prepared } = prepareTick(app, entry, 0, 0);
  const queue = message.queue;
  const refused = (reason: string): RuleTemplate => ({ ok: false, queue, reason });
  // Our workers make the tick's id and its expiry of the firing's time; Python's would take both as they are written.
  if (app.settings.queues[queue]?.external) return refused('its queue is consumed elsewhere');
  if (app.settings.queues[queue]?.fifo) return refused('a FIFO queue');
  if (message.celeriac.groupId !== undefined) return refused('groupKey');
  if (message.etaMs !== null) return refused('countdown');
  if (isAbsolute(entry.signature.options['expires'])) return refused('an absolute expires');
  if (message.expiresMs !== null && app.registry.find(message.task) === undefined)
    // Our own workers reckon it from the tick; nobody else can.
    return refused('expires of a task that runs elsewhere');
  // Stands for the time until everything else is encoded. A hash of the message cannot stand in it.
  const mark = derivedId(prepared.outgoing.body);
  const id = `${derivedId(`beat:${entry.name}`)}@${mark}`;
  const beat: BeatHeader = {
    entry: entry.name,
    time: mark,
    ...(message.expiresMs === null ? {} : { expires: message.expiresMs / 1000 }),
    ...(entry.schedule.type === 'interval' ? { rate: true as const } : {}),
  };
  const body = encodeMessage({ ...message, id, rootId: id, expiresMs: null, celeriac: { ...message.celeriac, beat } });
  const template = asTemplate(Buffer.from(body, 'base64').toString('utf8'), mark);
  return template.length <= EVENTBRIDGE_MAX_TEMPLATE_CHARACTERS
    ? { ok: true, queue, template }
    : refused(`a message of ${template.length} characters (${EVENTBRIDGE_MAX_TEMPLATE_CHARACTERS} are allowed)`);
}

function isAbsolute(expires: unknown): boolean {
  return expires instanceof Date || (typeof expires === 'string' && /^\d{4}-/.test(expires));
}

/** ASCII, and no angle brackets but the variable's: they cannot be escaped in a template, their JSON escapes can stand there. */
function asTemplate(json: string, mark: string): string {
  const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return json.replace(/[<>\u007f-\uffff]/g, escape).replaceAll(mark, `<${TIME_VARIABLE}>`);
}
