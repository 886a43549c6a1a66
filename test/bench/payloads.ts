/** Requests of a call whose argument, or result, lies in a bucket, and of one that is small. */
import { type Blobs, Celeriac, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';

import { NOTHING, type Tally, watch } from './counts.ts';

const LARGE_BYTES = 20_000_000;
const WAIT = { timeout: 120 };

/** Counted at the ports and the SDK's clients, on the embedded cloud: what a call and the reading of its result ask of SQS and the bucket. */
export async function payloadRows(): Promise<[string, string][]> {
  const app = new Celeriac('bench-payloads', { logger: silentLogger, largePayloads: { compression: 'none' } });
  const length = app.task('length', (text: string) => text.length);
  const repeat = app.task('repeat', (bytes: number) => 'x'.repeat(bytes));
  const blobs = { put: 0, get: 0 };
  const cloud = await LocalCloud.start(app, {
    sweepEvery: '1h',
    wrapPorts: (ports) => {
      const { blobs: store } = ports as { readonly blobs?: Blobs };
      if (store === undefined) throw new Error('the embedded cloud has no store for what is large');
      const counted: Blobs = {
        put: (...args) => ((blobs.put += 1), store.put(...args)),
        get: (...args) => ((blobs.get += 1), store.get(...args)),
        delete: (...args) => store.delete(...args),
      };
      return { ...ports, blobs: counted };
    },
  });
  try {
    const tally: Tally = { ...NOTHING };
    watch(cloud.clients.sqs, cloud.clients.dynamodb, tally);
    const rows: [string, string][] = [];
    const row = async (name: string, run: () => Promise<unknown>): Promise<void> => {
      Object.assign(tally, NOTHING);
      Object.assign(blobs, { put: 0, get: 0 });
      await run();
      rows.push([name, `${blobs.put} PutObject, ${blobs.get} GetObject, ${tally.sends} SendMessage`]);
    };
    await row('a small call', async () => (await length.delay('x')).get(WAIT));
    await row('an argument of 20 MB', async () => (await length.delay('x'.repeat(LARGE_BYTES))).get(WAIT));
    await row('a result of 20 MB, read once', async () => (await repeat.delay(LARGE_BYTES)).get(WAIT));
    return rows;
  } finally {
    await cloud.stop();
  }
}
