/** From what is deployed to an app of this process. */
import type { Celeriac } from 'celeriac';

import { readEnvironment } from '../../lib/options/environment.ts';
import type { Environment } from '../../lib/options/manifest.ts';
import type { Emulator } from './emulator.ts';
import { LambdaApi } from './lambda-api.ts';

/** Lets an app find its queues and tables by the variables of a function, whose name holds `part`. */
export async function connect(app: Celeriac, emulator: Emulator, part: string): Promise<Environment> {
  const { Environment } = await new LambdaApi(emulator.endpoint).function(part);
  for (const name of Object.keys(process.env)) if (name.startsWith('CELERIAC_')) delete process.env[name];
  Object.assign(process.env, emulator.environment, Environment?.Variables);
  // It reads the variables now, and once: another app may be connected to another service next.
  await app.ports();
  return readEnvironment();
}
