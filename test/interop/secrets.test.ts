/** The module of docs/secret-payloads.md in a real Celery: what is encrypted on one side is read on the other. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Celeriac, chain, chord, silentLogger } from 'celeriac';
import { aesGcm } from 'celeriac/codec';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PATIENCE_SECONDS } from '../support/patience.ts';
import { reasonToSkip } from '../support/python.ts';
import { Rig } from './rig.ts';

const reason = reasonToSkip('secrets of Celery', 'celery, boto3, pycurl, cryptography');
const WAIT = { timeout: PATIENCE_SECONDS, interval: 0.1 };
const SECRET = 'hunter2-Zq';
const [newer, older] = [1, 2].map((fill) => Buffer.alloc(32, fill).toString('base64'));

describe.skipIf(reason !== undefined)('secrets of both sides', () => {
  // Each side has its own newest key: every message says which it is.
  const app = new Celeriac('vault', {
    codec: aesGcm({ keys: () => `new:${newer},old:${older}` }),
    resultExtended: true,
    queues: { default: {}, celery: { external: true } },
    routes: { 'proj.*': 'celery' },
    logger: silentLogger,
  });
  const ours = app.task('math.join', (left: string, right: string) => left + right);
  const list = app.task('math.list', (all: readonly unknown[]) => all);
  app.task('math.fail', (text: string) => {
    throw new RangeError(text);
  });
  const theirs = app.remote<(left: string, right: string) => string>('proj.add');
  const fails = app.remote<(kind: string) => never>('proj.fail');
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-codec-'));
  let rig: Rig;
  const answer = (code: string): Promise<unknown> => rig.ask(`${code}.get(timeout=150, interval=0.1)`);
  beforeAll(async () => {
    const page = readFileSync('docs/secret-payloads.md', 'utf8');
    const [, code = ''] = /```python\n(# celeriac_codec\.py\n[\s\S]*?)```/.exec(page) ?? [];
    writeFileSync(join(folder, 'celeriac_codec.py'), code);
    const own = fileURLToPath(new URL('.', import.meta.url));
    const environment = {
      PYTHONPATH: [own, folder].join(delimiter),
      VAULT_KEYS: `old:${older}\nnew:${newer}`,
      RESULT_EXTENDED: '1',
    };
    rig = await Rig.start(app, { workerQueues: ['celery'], environment, sweepEvery: 1 });
  });
  afterAll(async () => {
    await rig?.stop();
    rmSync(folder, { recursive: true });
  });

  it('a call and its result, either way, compressed too', async () => {
    expect(await answer(`remote('math.join').delay('${SECRET}', '-py')`)).toBe(`${SECRET}-py`);
    expect(await answer(`remote('math.join').apply_async(('${SECRET}', '-gz'), compression='zlib')`)).toBe(
      `${SECRET}-gz`,
    );
    const result = await theirs.delay(SECRET, '-js');
    expect(await result.get(WAIT)).toBe(`${SECRET}-js`);
    expect(await result.args()).toEqual([SECRET, '-js']);
  });

  it('an error, either way', async () => {
    await expect(answer(`remote('math.fail').delay('${SECRET}')`)).rejects.toMatchObject({ message: SECRET });
    await expect((await fails.delay('ValueError')).get(WAIT)).rejects.toMatchObject({ name: 'ValueError' });
  });

  it('a chain and a chord over both', async () => {
    expect(await (await chain(ours.s(SECRET, '1'), theirs.s('2'), ours.s('3')).delay()).get(WAIT)).toBe(`${SECRET}123`);
    const counted = await chord([ours.s(SECRET, 'a'), theirs.s(SECRET, 'b')], list.s()).delay();
    expect(await counted.get(WAIT)).toEqual([`${SECRET}a`, `${SECRET}b`]);
  });

  it('and the tables hold nothing of it', async () => {
    const { dynamodb, environment } = rig.cloud;
    let items = 0;
    for (const TableName of [environment.resultsTable, environment.stateTable])
      for await (const { Items = [] } of paginateScan({ client: dynamodb as never }, { TableName })) {
        items += Items.length;
        for (const item of Items)
          expect(Buffer.from(item['result']?.B ?? []).toString('latin1') + JSON.stringify(item)).not.toContain(SECRET);
      }
    expect(items).toBeGreaterThan(8);
  });
});
