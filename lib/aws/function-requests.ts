/** Requests of a function to services that hardly any task needs: Region, endpoints and credentials are those of its environment. */
import type { Clock } from '../base/time.ts';
import { environmentCredentials } from './lean/credentials.ts';
import { type ServiceId, serviceVariables } from './lean/environment.ts';
import { ToolRequests } from './tool-requests.ts';

export function functionRequests(clock: Clock): ToolRequests {
  return new ToolRequests({
    region: () => {
      const { region } = serviceVariables('LAMBDA');
      return region === undefined ? Promise.reject(new Error('AWS_REGION is missing')) : Promise.resolve(region);
    },
    credentials: environmentCredentials(clock),
    endpoint: (service) => serviceVariables(service.toUpperCase() as ServiceId).endpoint,
    clock,
  });
}
