/** What docs/flow-control.md shows runs, and does what it says. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/flow-control.md', 'utf8');

it('rateLimit: a hundred in a minute, and ten in a second for each customer after a burst', () => {
  const output = runExample(page, ['// limits.ts'], {
    'limits.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app);
const mails = [];
for (let n = 0; n < 150; n += 1) mails.push(await mail.delay(\`\${n}@example.org\`));
const updates = [];
for (let n = 0; n < 100; n += 1) updates.push(await crm.delay(n < 20 ? 'small' : 'large', \`field \${n}\`));
const done = async (results: readonly { ready(): Promise<boolean> }[]) =>
  (await Promise.all(results.map((result) => result.ready()))).filter(Boolean).length;
await world.run();
console.log(await done(updates));
await world.advance('1m');
console.log(await done(mails), await done(updates));
await world.advance('1m');
console.log(await done(mails));`,
    },
  });
  // What may start within a second starts: 50 at once and ten of that second, and all 20 of the other customer.
  expect(output.trim().split('\n')).toEqual(['80', '101 100', '150']);
});

it('revoke({ terminate: true }): a running task is told, and ends as REVOKED', () => {
  const output = runExample(page, ['// exports.ts'], {
    'exports.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app);
const [all, some] = [await build.delay(3), await build.delay(100)];
await world.advance(10);
await cancel(some.id);
await world.advance(3);
console.log(await all.state(), await some.state());`,
    },
  });
  expect(output.trim()).toBe('SUCCESS REVOKED');
});

it('app.locks: imports one at a time, whoever finds the lock taken comes again', () => {
  const output = runExample(page, ['// import.ts'], {
    'import.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app);
const held = await app.locks.acquire('imports', { ttl: '5m' });
const results = [await importFeed.delay('news'), await importFeed.delay('prices')];
await world.advance('1m');
console.log(written.length, (await app.locks.list()).map(({ key }) => key).join());
await held?.release();
await world.drain();
const tokens = await Promise.all(results.map((result) => result.get()));
console.log(written.length, new Set(tokens).size, Math.min(...tokens) > (held?.token ?? Infinity));
console.log(written.slice(0, 3).every((page) => page.startsWith((written[0] ?? '').split(' ')[0] ?? '?')));`,
    },
  });
  expect(output.trim().split('\n')).toEqual(['0 imports', '6 2 true', 'true']);
});

it('concurrency: three at a time, and one for each customer', () => {
  const output = runExample(page, ['// slots.ts'], {
    'slots.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app);
const pages = [];
for (let page = 0; page < 9; page += 1) pages.push(await render.delay(page));
const synced = [];
for (const customer of ['acme', 'acme', 'globex', 'acme', 'initech']) synced.push(await sync.delay(customer));
const done = async (results: readonly { ready(): Promise<boolean> }[]) =>
  (await Promise.all(results.map((result) => result.ready()))).filter(Boolean).length;
for (let ten = 0; ten < 3; ten += 1) {
  await world.advance('11s');
  console.log(await done(pages), await done(synced));
}
await world.drain();
console.log(await done(pages), await done(synced));`,
    },
  });
  expect(output.trim().split('\n')).toEqual(['3 3', '6 4', '9 5', '9 5']);
});

it('rateLimit at run time: ten in a minute, none, and what is declared again', () => {
  const output = runExample(page, ['// limits.ts', '// slower.ts'], {
    'slower.ts': {
      before: `import { mail } from './limits.ts';
import { World } from 'celeriac/testing';
const { control } = app;
const world = new World(app);
const rateLimit = control.rateLimit.bind(control);
const sent = [];
Object.defineProperty(app, 'control', { value: { rateLimit: async (...given) => {
  console.log(Object.values(await rateLimit(...given)).join());
  await world.advance('61s');
  const before = (await Promise.all(sent.map((each) => each.ready()))).filter(Boolean).length;
  for (let n = 0; n < 30; n += 1) sent.push(await mail.delay('x'));
  await world.run();
  console.log((await Promise.all(sent.map((each) => each.ready()))).filter(Boolean).length - before);
} } });`,
    },
  });
  expect(output.trim().split('\n')).toEqual([
    'new rate limit set successfully',
    '1',
    'rate limit disabled successfully',
    // What waits already starts when its slot comes.
    '30',
    'rate limit as declared',
    // They come behind what still stands in the line.
    '0',
  ]);
});

it('unique: one charge of an order, and a reindex while one runs', () => {
  const output = runExample(page, ['// unique.ts'], {
    'unique.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app);
const first = await charge.delay('o-1');
const second = await charge.delay('o-1');
console.log(first.duplicate, second.duplicate, second.id === first.id, (await charge.delay('o-2')).duplicate);
await world.drain();
console.log(await second.get(), (await charge.delay('o-1')).duplicate);
console.log((await reindex.delay()).duplicate, (await reindex.delay()).duplicate);
await world.drain();
console.log((await charge.applyAsync(['o-1'], { unique: { key: 'other' } })).duplicate);
console.log((await charge.applyAsync(['o-1'], { unique: false })).duplicate);`,
    },
  });
  expect(output.trim().split('\n')).toEqual([
    'false true true false',
    'charged o-1 false',
    'false true',
    'false',
    'false',
  ]);
});

it('throttle: a reminder a day', () => {
  const output = runExample(page, ['// throttle.ts'], {
    'throttle.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app);
const sent = [];
for (let hour = 0; hour < 50; hour += 1) {
  sent.push((await remind.delay('ada')).duplicate);
  await world.advance('1h');
}
console.log(sent.filter((duplicate) => !duplicate).length, (await remind.delay('bob')).duplicate);`,
    },
  });
  expect(output.trim()).toBe('2 false');
});

it('debounce: the last change, ten seconds after it, five minutes after the first at the latest', () => {
  const output = runExample(page, ['// debounce.ts'], {
    'debounce.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app);
const results = [];
for (const text of ['a', 'b', 'c']) results.push(await save.delay('one', text));
await world.advance(10);
console.log(await results[0].get(), results.map(({ duplicate }) => duplicate).join(' '));
const first = await save.delay('two', '0');
for (let n = 1; n <= 40; n += 1) {
  await world.advance(9);
  if (await first.ready()) break;
  await save.delay('two', String(n));
}
console.log(await first.get());`,
    },
  });
  expect(output.trim().split('\n')).toEqual(['one: c false true true', 'two: 33']);
});

it('oneInstance: what comes meanwhile is left out, or waits its turn', () => {
  const output = runExample(page, ['// alone.ts'], {
    'alone.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app);
const first = await reindex.delay();
await world.advance('1m');
const second = await reindex.delay();
for (const feed of ['news', 'news', 'prices']) await load.delay(feed, 1);
await world.advance(11);
console.log(await second.state(), (await second.info() as { by?: string }).by === first.id);
console.log(world.backend.all().filter(({ name, status }) => name === 'feeds.load' && status === 'SUCCESS').length);
await world.drain();
console.log(await first.get(), world.backend.all().filter(({ name, status }) => name === 'feeds.load' && status === 'SUCCESS').length);`,
    },
  });
  expect(output.trim().split('\n')).toEqual(['IGNORED true', '2', 'done 3']);
});
