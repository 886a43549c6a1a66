/** What mails about failures ask: of the store of what was told, and of whoever sends. In virtual time. */
import { Celeriac, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';

import { counting } from '../notify/counting.ts';

export interface NoticeCounts {
  /** Until the digest: of the workers. */
  readonly atOnce: Readonly<Record<string, number>>;
  /** All of it, some hours later. */
  readonly whole: Readonly<Record<string, number>>;
  readonly mails: number;
  /** Of the window as it is stored, with one failure that is not told yet: what its write is charged for. */
  readonly windowBytes: number;
}

/** @param failures of one kind, within a minute, at one worker */
export async function noticeCounts(failures: number): Promise<NoticeCounts> {
  const app = new Celeriac('shop', { logger: silentLogger });
  const charge = app.task('orders.charge', { maxRetries: 0 }, (order: number) => {
    throw new TypeError(`no card for ${order}`);
  });
  const { asked, wrapPorts } = counting();
  let windowBytes = 0;
  using world = new World(app, {
    notify: { window: '15m' },
    wrapPorts: (ports) => {
      const { notify } = ports;
      if (notify === undefined) return ports;
      const noting = notify().then((told) => {
        const mark = told.notices.mark.bind(told.notices);
        told.notices.mark = async (request) => {
          const outcome = await mark(request);
          windowBytes = Math.max(windowBytes, JSON.stringify([...outcome.window.known]).length);
          return outcome;
        };
        return told;
      });
      return wrapPorts({ ...ports, notify: () => noting });
    },
  });
  await app.sendMany(Array.from({ length: failures }, (_, index) => charge.s(index)));
  await world.run();
  const atOnce = { ...asked };
  await world.advance('3h');
  return { atOnce, whole: asked, mails: world.mails.length, windowBytes };
}

const WRITES = ['mark', 'told', 'takeDigest', 'close', 'putMinute'];
const READS = ['window', 'minutes'];

const sum = (asked: Readonly<Record<string, number>>, names: readonly string[]): number =>
  names.reduce((total, name) => total + (asked[name] ?? 0), 0);

export async function noticeRows(many: number): Promise<[string, string][]> {
  const [one, all] = [await noticeCounts(1), await noticeCounts(many)];
  const told = ({ whole, mails }: NoticeCounts): string =>
    `${mails} mails, ${sum(whole, WRITES)} writes, ${sum(whole, READS)} reads`;
  return [
    ['the first failure of a kind, at once', `${one.mails} mail, ${sum(one.atOnce, WRITES)} writes`],
    [
      'each other one that a worker has',
      `${sum(all.atOnce, [...WRITES, ...READS]) - sum(one.atOnce, WRITES)} requests`,
    ],
    ['the first one, with its window', told(one)],
    [`${many.toLocaleString('en')} of a kind in a minute, with their window`, told(all)],
    ['window with one kind that is not told', `${one.windowBytes} bytes (1,024 make a write unit)`],
  ];
}
