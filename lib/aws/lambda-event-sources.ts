/** Event source mappings of Lambda. */
import type { EventSources, EventSourceState } from '../ports/event-sources.ts';
import type { ToolRequests } from './tool-requests.ts';

export class LambdaEventSources implements EventSources {
  readonly #requests: Pick<ToolRequests, 'eventSourceState' | 'switchEventSource'>;

  constructor(requests: Pick<ToolRequests, 'eventSourceState' | 'switchEventSource'>) {
    this.#requests = requests;
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
