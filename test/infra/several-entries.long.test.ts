/** An entry of several modules: what is bundled of it, and what a stack is told. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const FILES = {
  'package.json': '{ "name": "shop", "type": "module", "sideEffects": false }',
  'package-lock.json': '{}',
  'src/app.ts': `import { Celeriac } from 'celeriac';\nexport const app = new Celeriac('shop', { queues: { default: {} } });\n`,
  'src/tasks/index.ts': `export { app } from '../app.ts';\n`,
  'src/tasks/mail.ts': `import { app } from '../app.ts';\nexport const send = app.task('mail.send', (to: string) => to);\n`,
  'src/tasks/orders.ts': `import { app } from '../app.ts';\napp.task('orders.ship', { rateLimit: '1/s' }, (id: string) => id);\n`,
  'src/tasks/orders.test.ts': `throw new Error('a test is no task');\n`,
  'stack.ts': `import { App, Stack } from 'aws-cdk-lib';
import { loadApp, TaskService } from 'celeriac/infra';

const [, , entry = '', whole = entry] = process.argv;
const cdk = new App({ outdir: 'cdk.out' });
const app = whole === entry ? await loadApp(entry) : (await import(\`./\${whole}\`)).app;
new TaskService(new Stack(cdk, 'Shop'), 'Tasks', { app, entry });
cdk.synth();
`,
};

function project(more: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-several-'));
  folders.push(folder);
  for (const [path, text] of Object.entries({ ...FILES, ...more })) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(resolve('.'), join(folder, 'node_modules/celeriac'));
  symlinkSync(resolve('node_modules/aws-cdk-lib'), join(folder, 'node_modules/aws-cdk-lib'));
  symlinkSync(resolve('node_modules/constructs'), join(folder, 'node_modules/constructs'));
  return folder;
}

/** What the stack's process complains of; '' where it is made. */
function synth(folder: string, ...args: readonly string[]): string {
  try {
    execFileSync(process.execPath, ['--conditions=@celeriac/source', 'stack.ts', ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return '';
  } catch (error) {
    return (error as { readonly stderr: string }).stderr;
  }
}

const assetsOf = (folder: string): string[] =>
  readdirSync(join(folder, 'cdk.out'))
    .filter((name) => name.startsWith('asset.'))
    .toSorted();

const LOOK = `const { app } = await import(process.argv[1]); console.log(app.registry.names().join());`;

describe('a service of several modules', () => {
  it('has all their tasks; its code is the same wherever the project lies', () => {
    const [one, other] = [project(), project()];
    expect(synth(one, 'src/tasks')).toBe('');
    expect(synth(other, 'src/tasks/*.ts')).toBe('');
    expect(assetsOf(one).length).toBeGreaterThanOrEqual(2);
    expect(assetsOf(one)).toEqual(assetsOf(other));
    for (const asset of assetsOf(one)) {
      const names = execFileSync(
        process.execPath,
        ['--input-type=module', '-e', LOOK, join(one, 'cdk.out', asset, 'index.mjs')],
        { encoding: 'utf8' },
      );
      expect(names.trim()).toBe('mail.send,orders.ship');
    }
  });

  it('whose stack has loaded some of them only is refused', () => {
    const folder = project();
    expect(synth(folder, 'src/tasks', 'src/app.ts')).toContain(
      "entry: src/tasks declares tasks that the stack has not loaded: mail.send, orders.ship. Give the service the whole app, as in app: await loadApp('src/tasks')",
    );
  });

  it('without an app, with two, and with none that fits is refused, each with what to do', () => {
    const folder = project({
      'src/other.ts': `import { Celeriac } from 'celeriac';\nexport const other = new Celeriac('other');\n`,
    });
    expect(synth(folder, 'src/tasks/{mail,orders}.ts')).toContain(
      'None of 2 modules exports an app: src/tasks/mail.ts, src/tasks/orders.ts',
    );
    expect(synth(folder, 'src/*.ts')).toContain(
      "2 apps are exported, where one is allowed: 'shop' by src/app.ts, 'other' by src/other.ts",
    );
    expect(synth(folder, 'src/**/*.jobs.ts')).toContain("The pattern 'src/**/*.jobs.ts' has no module");
    expect(synth(folder, 'src/tasks/mail.ts')).toContain('exports no app');
    // The app's own module, named beside those that declare by it.
    expect(synth(folder, 'src/{app.ts,tasks/{mail,orders}.ts}')).toBe('');
  });
});
