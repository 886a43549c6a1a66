/** Event source mappings of a service, switched under the rights of whoever asks. */
import type { EventSources, EventSourceState } from '../../../lib/ports/event-sources.ts';
import { ACCOUNT, REGION } from './asked.ts';
import type { IamGate } from './gate.ts';

const PARAMETER = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/celeriac/rights`;

/** @param ids by queue @param states of all of them, whoever asks */
export function sourcesUnder(
  gate: IamGate,
  actor: string,
  ids: Readonly<Record<string, string>>,
  states: Map<string, EventSourceState>,
): EventSources {
  const ask = (action: string, resource: string): void => {
    if (!gate.ask(actor, { action, resource, context: {} }).allowed)
      throw new Error(`AccessDeniedException: ${action} on ${resource}`);
  };
  const mapping = (id: string): string => `arn:aws:lambda:${REGION}:${ACCOUNT}:event-source-mapping:${id}`;
  return {
    ids: async () => {
      ask('ssm:GetParameter', PARAMETER);
      return ids;
    },
    state: async (id) => {
      ask('lambda:GetEventSourceMapping', mapping(id));
      return states.get(id);
    },
    set: async (id, enabled) => {
      ask('lambda:UpdateEventSourceMapping', mapping(id));
      states.set(id, enabled ? 'on' : 'off');
      return true;
    },
  };
}
