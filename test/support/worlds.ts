import { Celeriac, type AppOptions } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';

import { checkedLines } from './log-lines.ts';

/** An app of its own and a world around it; call `declare` before anything is sent. */
export function newWorld<T>(
  declare: (app: Celeriac) => T,
  options: AppOptions = {},
  worldOptions: WorldOptions = {},
): { app: Celeriac; world: World; tasks: T } {
  const app = new Celeriac('test', { resultExpires: '1d', ...options });
  const tasks = declare(app);
  return { app, world: new World(app, { ...worldOptions, logger: checkedLines(worldOptions.logger) }), tasks };
}

export class FetchError extends Error {
  override readonly name = 'FetchError';
}
