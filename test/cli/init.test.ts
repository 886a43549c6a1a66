/** `celeriac init`: what it writes, and what it leaves as it is. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { INIT_SCHEMA } from '../../lib/cli/commands/init.ts';
import { celeriacAt } from '../support/celeriac.ts';
import { expectSchema } from '../support/shop-service.ts';

mkdirSync('.vitest', { recursive: true });
const folder = mkdtempSync('.vitest/init-');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
const json = (path: string): Record<string, Record<string, string>> => JSON.parse(read(path)) as never;

describe('celeriac init', () => {
  it('begins a project; the second time nothing changes', async () => {
    const first = await celeriacAt({ folder }, 'init', 'my shop', '--json');
    expect([
      first.code,
      expectSchema(first, INIT_SCHEMA).map(({ path, action }) => `${String(path)} ${String(action)}`),
    ]).toEqual([
      0,
      ['package.json', 'src/tasks.ts', 'src/demo.ts', 'infra/stack.ts', 'cdk.json', 'tsconfig.json'].map(
        (path) => `${path} written`,
      ),
    ]);
    expect(read('my shop/src/tasks.ts')).toContain("new Celeriac('my-shop'");
    expect(read('my shop/infra/stack.ts')).toContain("'MyShop'");
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
    expect(json('my shop/package.json')).toMatchObject({
      type: 'module',
      scripts: { demo: 'tsx src/demo.ts' },
      dependencies: { celeriac: `^${version}` },
      devDependencies: {
        'aws-cdk': expect.stringMatching(/^2\./) as string,
        tsx: expect.stringMatching(/^\^4/) as string,
      },
    });
    const second = await celeriacAt({ folder }, 'init', 'my shop');
    expect(second.printed.match(/kept/g)).toHaveLength(6);
  });

  it('a project with a folder of tasks gets a stack of all its modules', async () => {
    mkdirSync(join(folder, 'many/src/tasks'), { recursive: true });
    const { code, complained } = await celeriacAt({ folder: join(folder, 'many') }, 'init');
    expect([code, complained]).toEqual([0, expect.stringContaining('npm install')]);
    expect(read('many/infra/stack.ts')).toContain("const entry = 'src/tasks'");
    expect(read('many/infra/stack.ts')).toContain('await loadApp(entry)');
    expect(() => read('many/src/tasks.ts')).toThrow('ENOENT');
    expect(json('many/package.json')['scripts']).toMatchObject({ demo: 'celeriac dev --app src/tasks' });
  });

  it('a project that is there keeps its files, scripts and versions', async () => {
    mkdirSync(join(folder, 'blog/src'), { recursive: true });
    writeFileSync(join(folder, 'blog/src/tasks.ts'), '// mine');
    writeFileSync(
      join(folder, 'blog/package.json'),
      JSON.stringify({ name: '@acme/blog', scripts: { demo: 'mine' }, devDependencies: { tsx: '^3.0.0' } }),
    );
    const { code, complained } = await celeriacAt({ folder: join(folder, 'blog') }, 'init');
    expect([code, complained]).toEqual([0, expect.stringContaining('npm install')]);
    expect(read('blog/src/tasks.ts')).toBe('// mine');
    expect(read('blog/infra/stack.ts')).toContain("'Blog'");
    expect(json('blog/package.json')).toMatchObject({
      name: '@acme/blog',
      scripts: { demo: 'mine', deploy: 'cdk deploy' },
      devDependencies: { tsx: '^3.0.0' },
    });
  });

  it('a package.json that cannot be read is refused, and nothing is written', async () => {
    mkdirSync(join(folder, 'broken'));
    writeFileSync(join(folder, 'broken/package.json'), '{');
    expect(await celeriacAt({ folder }, 'init', 'broken')).toMatchObject({ code: 2, printed: '' });
    expect(() => read('broken/src/tasks.ts')).toThrow('ENOENT');
  });
});
