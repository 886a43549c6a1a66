/** A codec that is none, or gives nothing that could be read, is refused: what was to be encrypted never leaves as it is. */
import { Celeriac, silentLogger } from 'celeriac';
import { aesGcm, type Codec } from 'celeriac/codec';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

const KEY = Buffer.alloc(32, 1).toString('base64');
const bytes = Buffer.from('x');

describe('the option codec', () => {
  it.each([
    ['null', null],
    ['false', false],
    ['nothing', ''],
    ['zero', 0],
    ['NaN', Number.NaN],
    ['text', 'aes'],
    ['an object', {}],
    ['the function that makes one', aesGcm],
    ['half of one', { encrypt: () => bytes }],
    ['a list', []],
  ])('%s is none', (_what, codec) => {
    expect(() => new Celeriac('vault', { codec: codec as unknown as Codec })).toThrow(
      /^codec: .+ given\. Give aesGcm\(\) of 'celeriac\/codec', or an object with encrypt and decrypt, or leave it out\.$/,
    );
  });

  it('undefined is left out', () => {
    expect(new Celeriac('vault', { codec: undefined as unknown as Codec }).manifest().codec).toBeUndefined();
  });

  it.each([['text'], [undefined], [null], [[1, 2]]])('that encrypts to %j sends nothing', async (token) => {
    const codec = { encrypt: () => token, decrypt: (given: Uint8Array) => given } as unknown as Codec;
    const app = new Celeriac('vault', { codec, logger: silentLogger });
    const charge = app.task('charge', (card: string) => card);
    using world = new World(app);
    const refused = charge.delay('4111').then(undefined, (error: unknown) => error);
    expect(String(await refused)).toMatch(/codec\.encrypt\(\) gave .+; bytes \(a Uint8Array\) are needed/);
    expect(world.broker.peekAll('default')).toEqual([]);
  });

  it('that decrypts to text says so', async () => {
    const codec = { encrypt: (plain: Uint8Array) => plain, decrypt: () => 'text' } as unknown as Codec;
    const lines: string[] = [];
    const app = new Celeriac('vault', { codec, logger: silentLogger });
    const charge = app.task('charge', (card: string) => card);
    using world = new World(app, { logger: { log: (_, message) => void lines.push(message) } });
    await charge.delay('4111');
    await world.run();
    expect(lines.join('\n')).toContain('codec.decrypt() gave a string; bytes (a Uint8Array) are needed');
  });
});

describe('a ring', () => {
  it.each([[undefined], [null], [5], [Number.NaN], [['k', KEY]], [{}], [Promise.resolve(`k:${KEY}`)]])(
    'of keys() that is %j',
    async (ring) => {
      const codec = aesGcm({ keys: (() => ring) as unknown as () => string });
      await expect(codec.encrypt(bytes)).rejects.toThrow(
        /^aesGcm\(\): keys\(\) gave .+; the ring as text is needed\.$/,
      );
    },
  );

  it.each([[`k:!!${KEY}`], [`k:${KEY}AAAA`], [`k:${KEY.replace('=', '')}`], [`k:${KEY.replaceAll('A', '-')}`]])(
    'whose key is no base64, as Python would have it: %s',
    async (ring) => {
      const refused = aesGcm({ keys: () => ring }).encrypt(bytes);
      await expect(refused).rejects.toThrow(/^what keys\(\) gave: key 1 of 1 \('k'\) is no base64; it needs 'id:key'/);
    },
  );
});
