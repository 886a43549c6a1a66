/** Lambda entry of the monitor, behind a function URL. It holds no task code: it calls tasks by name. */
import { fileURLToPath } from 'node:url';

import { handle } from 'hono/aws-lambda';

import { deployedMonitor } from '../lib/monitor/deployed.ts';
import { readPage } from '../lib/monitor/page-files.ts';
import { processEnvironment } from '../lib/options/environment.ts';

// The bundler puts the page beside the code.
const page = await readPage(fileURLToPath(new URL('page', import.meta.url)));

/** Answers requests to the function's address. */
export const handler: ReturnType<typeof handle> = handle(await deployedMonitor(processEnvironment(), page));
