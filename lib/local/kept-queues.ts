/** Queues on disk: the server of queues keeps them only by a starter of its own, which listens on every interface. */
import { ImproperlyConfigured } from '../base/errors.ts';

interface Message {
  readonly messageId: string;
}

/** What is used of a queue of the package. */
interface StoredQueue {
  persistence?: object;
  readonly inflightMessages: ReadonlyMap<string, { readonly message: Message }>;
  changeVisibility(receipt: string, seconds: number): void;
  cancelWaiters(): void;
}

interface SqsStore {
  persistence?: object;
  allQueues(): Iterable<StoredQueue>;
}

interface OtherStore {
  persistence?: object;
}

interface Persistence {
  readonly db: { prepare(sql: string): { run(...values: readonly string[]): unknown } };
  updateMessageReady(messageId: string): void;
  load(sqs: SqsStore, sns: OtherStore, s3: OtherStore): void;
  close(): void;
}

export interface KeptQueues {
  /** What the server is built with. */
  readonly stores: { readonly sqsStore: SqsStore; readonly snsStore: OtherStore; readonly s3Store: OtherStore };
  /** Long polls of receivers that are gone end: what they took is in flight from then on. */
  cancelReceives(): void;
  /** Whatever is in flight is visible again. @returns how many messages */
  returnAll(): number;
  close(): void;
}

/**
 * @param folder exists, and no other process uses it: the package would let it
 * @throws ImproperlyConfigured where the package is not as it is known
 */
export async function keptQueues(folder: string): Promise<KeptQueues> {
  const { PersistenceManager, SqsStore, SnsStore, S3Store } = await modules();
  const [sqsStore, snsStore, s3Store] = [new SqsStore(), new SnsStore(), new S3Store()];
  const persistence = new PersistenceManager(folder);
  // Loaded before the stores know of it: what they wrote while they load would delete what is not loaded yet.
  persistence.load(sqsStore, snsStore, s3Store);
  // Its own would set the receive count to nothing, which its table refuses: no message could be made visible again.
  const ready = persistence.db.prepare(
    'UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?',
  );
  persistence.updateMessageReady = (messageId) => void ready.run(messageId);
  for (const store of [sqsStore, snsStore, s3Store, ...sqsStore.allQueues()]) store.persistence = persistence;
  return {
    stores: { sqsStore, snsStore, s3Store },
    cancelReceives: () => {
      for (const queue of sqsStore.allQueues()) queue.cancelWaiters();
    },
    returnAll: () => {
      let count = 0;
      for (const queue of sqsStore.allQueues())
        // Backwards: each goes to the front of its FIFO group.
        for (const receipt of [...queue.inflightMessages.keys()].toReversed()) {
          queue.changeVisibility(receipt, 0);
          count += 1;
        }
      return count;
    },
    close: () => persistence.close(),
  };
}

interface Modules {
  readonly PersistenceManager: new (folder: string) => Persistence;
  readonly SqsStore: new () => SqsStore;
  readonly SnsStore: new () => OtherStore;
  readonly S3Store: new () => OtherStore;
}

// The package exports its starters alone; its files can be reached by their URLs.
async function modules(): Promise<Modules> {
  const entry = import.meta.resolve('fauxqs');
  const load = (path: string): Promise<object> => import(new URL(path, entry).href) as Promise<object>;
  try {
    const found = await Promise.all(
      ['./persistence.js', './sqs/sqsStore.js', './sns/snsStore.js', './s3/s3Store.js'].map(load),
    );
    const all = Object.assign({}, ...found) as Partial<Modules>;
    if (all.PersistenceManager && all.SqsStore && all.SnsStore && all.S3Store) return all as Modules;
  } catch (error) {
    throw notAsKnown(error);
  }
  throw notAsKnown(undefined);
}

function notAsKnown(cause: unknown): Error {
  return new ImproperlyConfigured(
    "The installed version of 'fauxqs' keeps no queues in the way that is known here. Install one that does: npm install --save-dev fauxqs@2.4.1",
    { cause },
  );
}
