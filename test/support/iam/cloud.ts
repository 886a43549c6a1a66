/** The embedded cloud of the end-to-end tests: every function under its own role. */
import type { Celeriac } from 'celeriac';
import { LocalCloud, type LocalCloudOptions } from 'celeriac/local';
import { expect } from 'vitest';
import { rolesOf, type ServiceRoles } from './roles.ts';

/** An embedded cloud in which every function has its own role; what a role refused is told when it stops. */
export async function startCloud(
  app: Celeriac,
  options: LocalCloudOptions = {},
  { gate }: Pick<ServiceRoles, 'gate'> = rolesOf(app),
): Promise<LocalCloud> {
  const cloud = await LocalCloud.start(app, { ...options, authorize: gate.authorize });
  const stop = cloud.stop.bind(cloud);
  return Object.assign(cloud, {
    stop: async (): Promise<void> => {
      await stop();
      expect(gate.denied).toEqual([]);
    },
  });
}
