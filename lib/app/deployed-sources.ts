/** What feeds the workers of the service that this function belongs to: its SSM parameter says so, as it was deployed last. */
import { functionRequests } from '../aws/function-requests.ts';
import { LambdaEventSources } from '../aws/lambda-event-sources.ts';
import { systemClock } from '../base/time.ts';
import { eventSourceIds, readDeployedService } from '../options/deployed-service.ts';
import { readParameterName } from '../options/environment.ts';
import type { EventSources } from '../ports/event-sources.ts';

/** Asks nobody before it is asked. */
export function deployedSources(): EventSources {
  const requests = functionRequests(systemClock);
  return new LambdaEventSources(requests, async () => {
    const name = readParameterName();
    const text = name === undefined ? undefined : await requests.parameter(name);
    return text === undefined ? {} : eventSourceIds(readDeployedService(text));
  });
}
