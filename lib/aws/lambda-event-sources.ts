/** Event source mappings of Lambda. */
import type { EventSources, EventSourceState } from '../ports/event-sources.ts';
import type { ToolRequests } from './tool-requests.ts';

type Requests = Pick<ToolRequests, 'eventSourceState' | 'switchEventSource'>;

export class LambdaEventSources implements EventSources {
  readonly #requests: Requests;
  readonly #ids: EventSources['ids'];

  /** @param ids by queue and lane, as the service says of itself */
  constructor(requests: Requests, ids: EventSources['ids']) {
    this.#requests = requests;
    this.#ids = ids;
  }

  async ids(): Promise<Readonly<Record<string, string>>> {
    return this.#ids();
  }

  async state(id: string): Promise<EventSourceState | undefined> {
    const state = await this.#requests.eventSourceState(id);
    if (state === undefined) return undefined;
    return state === 'Enabled' ? 'on' : state === 'Disabled' ? 'off' : 'changing';
  }

  async set(id: string, enabled: boolean): Promise<boolean> {
    return this.#requests.switchEventSource(id, enabled);
  }
}
