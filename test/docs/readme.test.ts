/** What README shows is run: its tasks, its test. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { afterAll, expect, it } from 'vitest';

import { COMPILE_CACHE } from '../support/compile-cache.ts';
// Inside the repository, so that `celeriac` resolves to it; ignored by git.
mkdirSync('.vitest', { recursive: true });
const folder = resolve(mkdtempSync('.vitest/readme-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const blocks = [...readFileSync('README.md', 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
const block = (start: string): string => blocks.find((code) => code.includes(start)) ?? '';

it('its tasks work in its test', () => {
  writeFileSync(`${folder}/tasks.ts`, block('// tasks.ts'));
  writeFileSync(`${folder}/api.ts`, block("import type { add } from './tasks.ts'"));
  writeFileSync(
    `${folder}/test.ts`,
    `${block('new World(app)')}\nconsole.log(await result.get(), add(1, 2));\nawait import('./api.ts').then((api) => api.handler()).then((answer) => console.log(answer.statusCode));\n`,
  );
  const output = execFileSync(process.execPath, ['--conditions=@celeriac/source', `${folder}/test.ts`], {
    encoding: 'utf8',
    env: { ...process.env, ...COMPILE_CACHE },
  });
  expect(output).toBe('5 3\n202\n');
});

it('a chain goes on in Python', () => {
  const code = block('// python.ts').replace(/^await chain.*$/m, (line) => `const world = new World(app);\n${line}`);
  writeFileSync(
    `${folder}/python.ts`,
    `import { World } from 'celeriac/testing';\n${code}\nawait world.run();\nconst [message] = world.broker.peekAll('celery');\nconst { headers, body } = JSON.parse(Buffer.from(message.body, 'base64').toString());\nconsole.log(headers.task, Buffer.from(body, 'base64').toString());\n`,
  );
  const output = execFileSync(process.execPath, ['--conditions=@celeriac/source', `${folder}/python.ts`], {
    encoding: 'utf8',
    env: { ...process.env, ...COMPILE_CACHE },
  });
  expect(output).toContain('proj.tasks.invoice [[3],{},');
});
