/** What feeds the workers of a service that a command works with. */
import { LambdaEventSources } from '../aws/lambda-event-sources.ts';
import { eventSourceIds } from '../options/deployed-service.ts';
import type { EventSources } from '../ports/event-sources.ts';
import type { Service } from './service.ts';

/** undefined on the embedded cloud, whose workers look at the record of pauses themselves. */
export function eventSourcesOf(service: Service): EventSources | undefined {
  if (service.isLocal) return undefined;
  return new LambdaEventSources(service.requests, async () => eventSourceIds(await service.deployed()));
}
