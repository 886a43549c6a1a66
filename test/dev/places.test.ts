/** Ports, the folder of the state, and which files count. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { isFree, nextFree, takenPort } from '../../lib/dev/free-ports.ts';
import { StateFolder } from '../../lib/dev/state-folder.ts';
import { isCode } from '../../lib/dev/watch-files.ts';

describe('ports', () => {
  const freeBut =
    (...taken: number[]) =>
    (port: number): Promise<boolean> =>
      Promise.resolve(!taken.includes(port));

  it('both have to be free', async () => {
    expect(await takenPort(4576, freeBut())).toBeUndefined();
    expect(await takenPort(4576, freeBut(4577))).toBe(4577);
    expect(await nextFree(4576, freeBut(4579))).toBe(4580);
    expect(await nextFree(65_534, freeBut())).toBeUndefined();
  });

  it('one that somebody listens on is not free', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await isFree(port)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await isFree(port)).toBe(true);
  });
});

describe('the folder', () => {
  let path: string;
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'celeriac-dev-'));
  });
  afterEach(() => rmSync(path, { recursive: true, force: true }));

  it('is taken by one that lives, and by nobody who was killed', async () => {
    // The process that runs the tests lives.
    writeFileSync(join(path, 'lock'), String(process.ppid));
    await expect(StateFolder.take(path, { fresh: false })).rejects.toThrow(`process ${process.ppid} has ${path}`);
    writeFileSync(join(path, 'lock'), '2147483646');
    await StateFolder.take(path, { fresh: false });
    expect(readFileSync(join(path, 'lock'), 'utf8')).toBe(String(process.pid));
  });

  it('keeps what it is told, but for a fresh start', async () => {
    const rule = { name: 'a', declaration: '[]', anchorMs: 1, enabled: false };
    const state = await StateFolder.take(path, { fresh: false });
    await state.keepPort(4600);
    await state.keepRules([rule]);
    const service = JSON.stringify({ app: 'shop', queues: { default: 'http://127.0.0.1:1/q' } });
    const variables = { CELERIAC_SERVICE_SHOP: service, AWS_REGION: 'us-east-1' };
    expect(parseEnv(readFileSync(await state.writeVariables(variables), 'utf8'))).toEqual(variables);
    await state.leave();
    const kept = await StateFolder.take(path, { fresh: false });
    expect([await kept.port(), await kept.rules()]).toEqual([4600, [rule]]);
    await kept.leave();
    const fresh = await StateFolder.take(path, { fresh: true });
    expect([await fresh.port(), await fresh.rules()]).toEqual([4600, []]);
  });
});

it.each([
  ['src/tasks.ts', true],
  ['tsconfig.json', true],
  ['readme.md', false],
  ['node_modules/x/index.js', false],
  ['.celeriac/sqs/fauxqs.db', false],
  ['cdk.out/tree.json', false],
])('a change of %s counts: %s', (path, counts) => {
  expect(isCode(path, true)).toBe(counts);
});
