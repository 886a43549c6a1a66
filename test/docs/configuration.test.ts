/** docs/configuration.md names every variable; its stack is synthesized, its task run. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { Stack } from 'aws-cdk-lib';
import { COMPILE_CACHE } from '../support/compile-cache.ts';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, expect, it } from 'vitest';

import { ENVIRONMENT } from '../../lib/options/manifest.ts';
import { PARAMETER_VARIABLE } from '../../lib/options/service-variable.ts';
import { newApp, statementsOf } from '../infra/stacks.ts';

const page = readFileSync('docs/configuration.md', 'utf8');
const block = (head: string): string =>
  [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '').find((code) => code.startsWith(head)) ??
  '';

mkdirSync('.vitest', { recursive: true });
const folder = resolve(mkdtempSync('.vitest/configuration-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('every variable of the service has a row', () => {
  const named = [...page.matchAll(/`(CELERIAC_\w+)`/g)].map(([, name = '']) => name);
  expect(named.toSorted()).toEqual([...Object.values(ENVIRONMENT), PARAMETER_VARIABLE].toSorted());
});

it('its stack gives one worker the variables and the right', async () => {
  writeFileSync(`${folder}/tasks.ts`, block('// tasks.ts'));
  writeFileSync(`${folder}/secrets.ts`, 'export const paymentKey = async () => "key";');
  writeFileSync(`${folder}/stack.ts`, block('// stack.ts').replace('src/tasks.ts', `${folder}/tasks.ts`));
  const { ShopStack } = (await import(/* @vite-ignore */ `${folder}/stack.ts`)) as {
    readonly ShopStack: new (...parts: readonly unknown[]) => Stack;
  };
  const template = Template.fromStack(new ShopStack(newApp(), 'Shop'));
  const functions = Object.values(template.findResources('AWS::Lambda::Function')) as {
    readonly Properties: { readonly Environment?: { readonly Variables: Readonly<Record<string, unknown>> } };
  }[];
  const given = functions.filter(({ Properties }) => Properties.Environment?.Variables['PAYMENT_SECRET'] !== undefined);
  expect(given).toHaveLength(1);
  expect(given[0]?.Properties.Environment?.Variables['SHOP_CURRENCY']).toBe('EUR');
  const rights = (queue: string): unknown[] =>
    statementsOf(template, new RegExp(`^TasksWorkers${queue}.*Policy`)).flatMap(({ Action }) => Action);
  expect(rights('payments')).toContain('secretsmanager:GetSecretValue');
  expect(rights('default')).not.toContain('secretsmanager:GetSecretValue');
  expect(rights('default').length).toBeGreaterThan(0);
});

it('a secret is asked for once, and again after a failure', () => {
  const client = `${folder}/run/node_modules/@aws-sdk/client-secrets-manager`;
  mkdirSync(client, { recursive: true });
  writeFileSync(`${client}/package.json`, '{ "type": "module", "exports": "./index.js" }');
  writeFileSync(
    `${client}/index.js`,
    `let asked = 0;
export class GetSecretValueCommand { constructor(input) { this.input = input; } }
export class SecretsManagerClient {
  async send({ input }) {
    asked += 1;
    console.log('asked for', input.SecretId);
    if (asked === 1) throw new TypeError('throttled');
    return { SecretString: 'k-123' };
  }
}`,
  );
  writeFileSync(`${folder}/run/secrets.ts`, block('// secrets.ts'));
  writeFileSync(
    `${folder}/run/tasks.ts`,
    `${block('// tasks.ts').replace("timeLimit: '20s'", "timeLimit: '20s', autoretryFor: [TypeError]")}
import { World } from 'celeriac/testing';
const world = new World(app);
const results = [await charge.delay('o-1'), await charge.delay('o-2')];
for (const result of results) console.log(await result.get());`,
  );
  const output = execFileSync(process.execPath, ['--conditions=@celeriac/source', `${folder}/run/tasks.ts`], {
    encoding: 'utf8',
    env: { ...process.env, ...COMPILE_CACHE, PAYMENT_SECRET: 'arn:secret' },
  });
  const lines = output.trim().split('\n');
  expect(lines.filter((line) => line.startsWith('asked'))).toEqual(['asked for arn:secret', 'asked for arn:secret']);
  expect(lines).toContain('o-1 charged with a key of 5 characters');
  expect(lines).toContain('o-2 charged with a key of 5 characters');
});
