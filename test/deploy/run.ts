/** `npm run deploy:test`: the example is deployed on an emulator of AWS that the project has not written, and does its work there. */
import { blogScenario } from './blog-scenario.ts';
import { startMinistack } from './emulator.ts';
import { run } from './processes.ts';
import { readmeLines } from './readme-lines.ts';
import { Abandoned, Report } from './report.ts';

const LOG = 'deploy-test.log';

const report = new Report();
const emulator = await report.needed('MiniStack starts', () => startMinistack(LOG));
try {
  for (const line of readmeLines()) await report.needed(line, async () => void (await run(line, emulator.environment)));
  await blogScenario(report, emulator);
  await report.step(
    'cdk destroy',
    async () => void (await run('npx cdk destroy --force CeleriacBlog', emulator.environment)),
  );
} catch (error) {
  if (!(error instanceof Abandoned)) throw error;
} finally {
  await emulator.stop();
}
process.exitCode = report.end();
if (process.exitCode !== 0) console.log(`The emulator's log, with that of the functions: ${LOG}`);
