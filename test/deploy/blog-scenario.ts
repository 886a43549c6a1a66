/** The example blog, deployed: its tasks through the public API, and through its API function. */
import type { Celeriac } from 'celeriac';

import type { Emulator } from './emulator.ts';
import { LambdaApi } from './lambda-api.ts';
import { equal, type Report } from './report.ts';

const PATIENCE = { timeout: 60 };

/** Lets an app of this process find what is deployed, by the variables of one of its functions. */
export async function connect(app: Celeriac, emulator: Emulator, functionName: string): Promise<void> {
  const { Environment } = await new LambdaApi(emulator.endpoint).function(functionName);
  Object.assign(process.env, emulator.environment, Environment?.Variables);
  await app.ports();
}

export async function blogScenario(report: Report, emulator: Emulator): Promise<void> {
  const { app, sendWelcome } = await import('../../examples/blog/tasks.ts');
  await report.needed('the API function knows where to send', () => connect(app, emulator, 'CeleriacBlog-Api'));
  await report.step('a task, cold', async () => {
    equal(await (await sendWelcome.delay('ada@example.com')).get(PATIENCE), 'sent to ada@example.com');
  });
  await report.step('a task, warm', async () => {
    equal(await (await sendWelcome.delay('bob@example.com')).get(PATIENCE), 'sent to bob@example.com');
  });
}
