/** docs/without-cdk.md: its tables are those of a synthesized service, its bundle is one that runs, its outputs are there. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { Celeriac, crontab } from 'celeriac';
import { afterAll, describe, expect, it } from 'vitest';

import { bundleArguments } from '../../infra/bundling.ts';
import { type CloudFormationTemplate, templateStack } from '../../infra/template.ts';
import { ENTRY, newApp } from '../infra/stacks.ts';
import { eventSourceRows, functionRows, queueRows, rightsRows, tableRows, tableUnder } from './template-tables.ts';

const page = readFileSync('docs/without-cdk.md', 'utf8');

/** One queue of each kind, and an entry that has a rule. */
function example(): CloudFormationTemplate {
  const shop = new Celeriac('shop', { queues: { default: {}, orders: { fifo: true }, celery: { external: true } } });
  const report = shop.task('shop.report', () => 'done');
  shop.beat({ nightly: { task: report.s(), schedule: crontab({ minute: 0, hour: 3 }) } });
  const app = newApp();
  const { stack } = templateStack(app, { app: shop, entry: ENTRY }, { stackName: 'shop-tasks' });
  return app.synth().getStackArtifact(stack.artifactId).template as CloudFormationTemplate;
}

describe('tables of the page are those of a service', () => {
  const template = example();

  it.each([
    ['Functions', functionRows(template)],
    ['Queues', queueRows(template)],
    ['Event sources', eventSourceRows(template)],
    ['Tables', tableRows(template)],
    ['Rights', rightsRows(template, 3)],
  ])('%s', (heading, rows) => {
    expect(rows.length).toBeGreaterThan(1);
    const shown = (all: readonly (readonly string[])[]): string[] => all.map((row) => `| ${row.join(' | ')} |`);
    expect(shown(tableUnder(page, heading))).toEqual(shown(rows));
  });

  it('the rule of the sweeper', () => {
    const rules = Object.values(template.Resources).filter(
      ({ Properties }) => Properties?.['ScheduleExpression'] === 'rate(1 minute)',
    );
    const inputs = rules.flatMap(({ Properties }) =>
      ((Properties?.['Targets'] ?? []) as readonly { readonly Input: string }[]).map(({ Input }) => Input),
    );
    expect(inputs).toHaveLength(1);
    expect(page).toContain(`\`rate(1 minute)\` invokes the sweeper with \`${inputs.join()}\``);
  });

  it('Outputs', () => {
    const named = tableUnder(page, 'What the stack tells').flatMap(([cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    );
    // The page's example is of queue `default`.
    const own = Object.keys(template.Outputs).filter((name) => !/^(?:Orders[A-Z]|Celery(?:Queue|Dead))/.test(name));
    expect(named.toSorted()).toEqual(own.toSorted());
  });
});

describe('a bundle made by hand', () => {
  mkdirSync('.vitest', { recursive: true });
  const folder = resolve(mkdtempSync('.vitest/without-cdk-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const [, command = ''] = /```sh\n(npx esbuild [\s\S]*?)```/.exec(page) ?? [];

  it('has the options of those that the construct makes', () => {
    const [, ...args] = bundleArguments(ENTRY, 'worker');
    expect(args.length).toBeGreaterThan(10);
    for (const arg of args) {
      // Of the sources alone, which a package does not have.
      const option = arg.replace(',@celeriac/source', '');
      const shown = option.startsWith('--alias:')
        ? option.slice(0, option.indexOf('=') + 1)
        : option.replace(/^(--banner:js)=(.*)$/, '$1="$2"');
      expect(command).toContain(shown);
    }
    // And no other than where from and where to.
    expect(command.match(/ --/g)).toHaveLength(args.length + 1);
  });

  it('is made by the line of the page, and has both handlers', () => {
    writeFileSync(
      join(folder, 'tasks.ts'),
      "import { Celeriac } from 'celeriac';\nexport const app = new Celeriac('shop', { queues: { default: {} } });\n",
    );
    const here = command
      .replaceAll('node_modules/celeriac/dist/', './')
      .replaceAll(/(handlers\/[\w-]+)\.js/g, '$1.ts')
      .replace('./src/tasks.ts', join(folder, 'tasks.ts'))
      .replace('build/handlers', folder)
      .replace('--conditions=', '--conditions=@celeriac/source,');
    execFileSync('bash', ['-c', here], { stdio: 'pipe' });
    const code = `const m = await import('${join(folder, 'index.mjs')}'); console.log(Object.keys(m).toSorted().join());`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    expect(output.trim()).toBe('appOf,sweeper,worker');
  });
});
