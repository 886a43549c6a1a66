/** Records that go too early or too late. */
import type { Sabotage } from './sabotage.ts';

const MINUTE_MS = 60_000;

export const EXPIRY_SABOTAGES: readonly Sabotage[] = [
  {
    rule: 'claim after commit',
    what: 'a record is kept for no longer than a result',
    options: {
      resultExpiresSeconds: 10,
      sabotage: ({ backend, clock }) => {
        const commit = backend.commit.bind(backend);
        backend.commit = (requests) =>
          commit(requests.map((each) => ({ ...each, expiresAtSeconds: Math.floor(clock.nowMs() / 1000) + 10 })));
      },
    },
  },
  {
    rule: 'right values in order',
    what: 'workers read no record that is older than a minute',
    options: {
      sabotage: ({ backend, faults, clock }) => {
        const get = backend.get.bind(backend);
        backend.get = async (ids, nowMs) => {
          const records = await get(ids, nowMs);
          const isOld = (ms = Infinity): boolean => ms < clock.nowMs() - MINUTE_MS;
          return records.map((record) => (faults.inInvocation && isOld(record?.finishedMs) ? undefined : record));
        };
      },
    },
  },
  {
    rule: 'nothing runs after a failure',
    what: 'workers read what has expired',
    options: {
      resultExpiresSeconds: 10,
      sabotage: ({ backend, faults }) => {
        const get = backend.get.bind(backend);
        backend.get = (ids, nowMs) => get(ids, faults.inInvocation ? 0 : nowMs);
      },
    },
  },
];
