/** Stores of an app with a codec: results, definitions of groups, schedule entries. */
import { DecryptionFailed } from '../base/errors.ts';
import type { Backend, ClaimOutcome, ConcludeOutcome, TaskRecord } from '../ports/backend.ts';
import type { Groups } from '../ports/groups.ts';
import type { Schedules } from '../ports/schedules.ts';
import {
  decryptDocument,
  decryptJson,
  decryptSchedule,
  encryptDocument,
  encryptJson,
  encryptSchedule,
  type Transform,
} from '../wire/encrypted.ts';

export interface Ciphers {
  readonly encrypt: Transform;
  readonly decrypt: Transform;
}

type Texts = {
  readonly meta?: string;
  readonly settlement?: string;
  readonly past?: string;
  readonly checkpoint?: string;
};

/** Each encrypted where it is there; an empty text says that there is none. */
async function withTexts<T extends Texts>(
  from: T,
  document: (text: string) => Promise<string>,
  other: (text: string) => Promise<string>,
): Promise<T> {
  const { meta, settlement, past, checkpoint } = from;
  const changed: { -readonly [K in keyof Texts]: Texts[K] } = {};
  if (meta !== undefined) changed.meta = await document(meta);
  if (settlement !== undefined) changed.settlement = await other(settlement);
  if (past !== undefined) changed.past = await other(past);
  if (checkpoint !== undefined) changed.checkpoint = await other(checkpoint);
  return { ...from, ...changed };
}

export function backendOf(backend: Backend, of: 'worker' | 'call', { encrypt, decrypt }: Ciphers): Backend {
  const close = <T extends Texts>(request: T): Promise<T> =>
    withTexts(
      request,
      (text) => encryptDocument(text, encrypt),
      async (text) => (text === '' ? text : encryptJson(text, encrypt)),
    );
  const open = <T extends Texts>(record: T): Promise<T> =>
    withTexts(
      record,
      (text) => decryptDocument(text, decrypt),
      (text) => decryptJson(text, decrypt),
    );
  // Its state and attempt are plain: who needs no more needs no key. Who reads the result is told by what is still encrypted.
  const openOrKeep = async (record: TaskRecord): Promise<TaskRecord> => {
    try {
      return await open(record);
    } catch (error) {
      if (of === 'call' && DecryptionFailed.is(error)) return record;
      throw error;
    }
  };
  const outcome = async <O extends ClaimOutcome | ConcludeOutcome>(each: O): Promise<O> =>
    'record' in each
      ? { ...each, record: await open(each.record) }
      : 'checkpoint' in each
        ? open(each as O & Texts)
        : each;
  return {
    claim: async (requests) => Promise.all((await backend.claim(await Promise.all(requests.map(close)))).map(outcome)),
    commit: async (requests) => backend.commit(await Promise.all(requests.map(close))),
    conclude: async (requests) =>
      Promise.all((await backend.conclude(await Promise.all(requests.map(close)))).map(outcome)),
    update: async (request) => backend.update((await close(request as Texts)) as typeof request),
    revoke: async (request) => backend.revoke(await close(request)),
    reopen: async (request) => backend.reopen(await close(request)),
    get: async (ids, nowMs, reads) => {
      const records = await backend.get(ids, nowMs, reads);
      return reads === 'state' ? records : Promise.all(records.map(async (each) => each && openOrKeep(each)));
    },
    release: (...args) => backend.release(...args),
    noteSettled: (...args) => backend.noteSettled(...args),
    terminated: (...args) => backend.terminated(...args),
    forget: (...args) => backend.forget(...args),
  };
}

export function groupsOf(groups: Groups, { encrypt, decrypt }: Ciphers): Groups {
  return {
    mark: (...args) => groups.mark(...args),
    count: (...args) => groups.count(...args),
    define: async (record) => groups.define({ ...record, definition: await encryptJson(record.definition, encrypt) }),
    async definition(...args) {
      const record = await groups.definition(...args);
      return record && { ...record, definition: await decryptJson(record.definition, decrypt) };
    },
    forget: (...args) => groups.forget(...args),
  };
}

export function schedulesOf(schedules: Schedules, { encrypt, decrypt }: Ciphers): Schedules {
  const open = async <T extends { readonly document: string } | undefined>(item: T): Promise<T> => {
    if (item === undefined) return item;
    try {
      return { ...item, document: await decryptSchedule(item.document, decrypt) };
    } catch (error) {
      // A list shows it as what it is; one that is due is looked at again.
      if (DecryptionFailed.is(error)) return item;
      throw error;
    }
  };
  return {
    read: async (names) => Promise.all((await schedules.read(names)).map(open)),
    list: async (...args) => Promise.all((await schedules.list(...args)).map(open)),
    eachDue: (untilMs, limit, visit) =>
      schedules.eachDue(untilMs, limit, async (due) => {
        const opened = await Promise.all(due.map(async (each) => ({ ...each, item: await open(each.item) })));
        const done = new Set(await visit(opened));
        return due.filter((_, index) => done.has(opened[index] as (typeof opened)[number]));
      }),
    write: async (items) =>
      schedules.write(
        await Promise.all(
          items.map(async (item) => ({ ...item, document: await encryptSchedule(item.document, encrypt) })),
        ),
      ),
    remove: (...args) => schedules.remove(...args),
  };
}
