/** A key that is missing loses nothing: what cannot be decrypted waits, and says why. In virtual time. */
import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';

import { Celeriac, DecryptionFailed, silentLogger } from 'celeriac';
import { aesGcm, type Codec } from 'celeriac/codec';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

const key = (id: string, fill: number): string => `${id}:${Buffer.alloc(32, fill).toString('base64')}`;

/** An app whose keys are changed while it runs, as by a deployment. */
function vault() {
  const held = { ring: key('a', 1) };
  const newest = () => aesGcm({ keys: () => held.ring });
  const lines: string[] = [];
  const app = new Celeriac('vault', {
    codec: { encrypt: (plain) => newest().encrypt(plain), decrypt: (token) => newest().decrypt(token) },
    logger: silentLogger,
  });
  const ran: string[] = [];
  const note = app.task('note', (text: string) => (ran.push(text), text.length));
  return { app, note, ran, lines, held };
}

it.each([
  ['that is missing', key('b', 2), "names key 'a'"],
  ['of the same id that is another one', key('a', 2), 'does not fit its key'],
])('a message waits for the key, behind one %s', async (_what, other, why) => {
  const { app, note, ran, lines, held } = vault();
  using world = new World(app, { logger: { log: (_, message) => void lines.push(message) } });
  const result = await note.delay('hunter2');
  held.ring = other;
  await world.advance('2m');
  expect(ran).toEqual([]);
  expect(await result.state()).toBe('PENDING');
  expect(lines.join('\n')).toContain(why);
  held.ring = `${key('c', 3)},${key('a', 1)}`;
  await world.advance('1h');
  expect(ran).toEqual(['hunter2']);
  expect(await result.get()).toBe(7);
});

it('a result whose key is missing has a state, and says what it needs', async () => {
  const { app, note, held } = vault();
  using world = new World(app);
  const result = await note.delay('hunter2');
  await world.run();
  held.ring = key('b', 2);
  const again = app.result(result.id);
  expect(await again.state()).toBe('SUCCESS');
  await expect(again.get()).rejects.toThrow(DecryptionFailed);
  await expect(again.info()).rejects.toThrow(`The result of task ${result.id} is encrypted and was not decrypted`);
});

it('a message whose key never comes is put aside encrypted, and runs when it is redriven with the key', async () => {
  const { app, note, ran, held } = vault();
  using world = new World(app);
  const result = await note.delay('hunter2');
  held.ring = key('b', 2);
  await world.advance('3d');
  const [letter] = world.deadLetters('default');
  expect(Buffer.from(letter?.body ?? '', 'base64').toString()).toContain('application/x-celeriac-encrypted');
  expect(ran).toEqual([]);
  held.ring = `${key('b', 2)},${key('a', 1)}`;
  expect(await app.deadLetters.redrive()).toMatchObject({ sent: 1, failures: [] });
  await world.drain();
  expect(ran).toEqual(['hunter2']);
  expect(await app.result(result.id).get()).toBe(7);
});

it('what is stored beside a result says the same: arguments, and the stack of an error', async () => {
  const { app, held } = vault();
  const extended = new Celeriac('vault', {
    codec: app.settings.codec as Codec,
    resultExtended: true,
    logger: silentLogger,
  });
  const fail = extended.task('fail', (text: string, more: { readonly text: string }): number => {
    throw new Error(`${text} ${more.text}`);
  });
  using world = new World(extended);
  const { id } = await fail.delay('hunter2', { text: 'hunter3' });
  await world.run();
  expect(await extended.result(id).args()).toEqual(['hunter2', { text: 'hunter3' }]);
  expect(await extended.result(id).traceback()).toContain('hunter3');
  held.ring = key('b', 2);
  const result = extended.result(id);
  for (const read of ['args', 'kwargs', 'traceback'] as const)
    await expect(result[read](), read).rejects.toThrow(`The result of task ${id} is encrypted and was not decrypted`);
  // No secret, and no key needed.
  expect(await result.name()).toBe('fail');
  expect(await result.children()).toEqual([]);
});

it('the page shows an app that works, and a codec of one own', async () => {
  const page = readFileSync('docs/secret-payloads.md', 'utf8');
  const [, code = ''] = /```ts\n\/\/ vault\.ts\n([\s\S]*?)```/.exec(page) ?? [];
  const plain = code
    .replace(/^import.*$/gm, '')
    .replaceAll('export ', '')
    .replaceAll(/: (?:string|number)\b/g, '');
  process.env['VAULT_KEYS'] = key('2026-11', 5);
  try {
    const make = runInThisContext(`(Celeriac, aesGcm) => { ${plain}; return { app, charge }; }`) as (
      ...parts: unknown[]
    ) => {
      app: Celeriac;
      charge: { delay(card: string, cents: number): Promise<{ get(): Promise<string> }> };
    };
    const { app, charge } = make(
      class extends Celeriac {
        constructor(name: string, options: object) {
          super(name, { ...options, logger: silentLogger });
        }
      },
      aesGcm,
    );
    using world = new World(app);
    const result = await charge.delay('4111 1111 1111 1234', 99);
    await world.run();
    expect(await result.get()).toBe('99 from 1234');
  } finally {
    delete process.env['VAULT_KEYS'];
  }
});
