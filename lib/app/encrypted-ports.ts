/**
 * Ports of an app with a codec: whatever leaves through them is encrypted, and what was stored comes back readable. Here and nowhere else, so that
 * no way out can be forgotten: a message, a timer, a dead letter, a result, a group's definition and a schedule entry are all written by ports.
 */
import { kindOf } from '../base/checks.ts';
import { concealErrors, errorLine, isError, QUOTING } from '../base/error-text.ts';
import { CeleriacError, DecryptionFailed, ImproperlyConfigured } from '../base/errors.ts';
import { isPassing } from '../base/passing.ts';
import { checkCodec } from '../options/check-codec.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Broker, OutgoingMessage, SendOutcome } from '../ports/broker.ts';
import type { Codec } from '../ports/codec.ts';
import type { DeadLetters } from '../ports/dead-letters.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Marks } from '../ports/marks.ts';
import type { Ports } from '../ports/ports.ts';
import type { Parked, SlotStore } from '../ports/slots.ts';
import type { Timer, Timers } from '../ports/timers.ts';
import { decryptBody, encryptBody } from '../wire/encrypted.ts';
import { backendOf, type Ciphers, groupsOf, schedulesOf } from './encrypted-stores.ts';

/** How an app with a codec works with its ports. */
export interface Encryption {
  /** The same ports, which encrypt. A worker takes no result for another: where one cannot be decrypted, reading it throws. */
  readonly ports: (plain: Ports, of: 'worker' | 'call') => Ports;
}

/** @throws InvalidOption for what is no codec */
export function encryptionBy(codec: Codec): Encryption {
  // Deployed functions take options as they are.
  checkCodec(codec);
  concealErrors(mayQuoteData);
  const ciphers: Ciphers = {
    encrypt: async (bytes) => bytesOf(await codec.encrypt(bytes), 'encrypt'),
    decrypt: async (bytes) => {
      try {
        return bytesOf(await codec.decrypt(bytes), 'decrypt');
      } catch (error) {
        throw CeleriacError.is(error)
          ? error
          : new DecryptionFailed(`The codec failed: ${errorLine(error)}`, { cause: error });
      }
    },
  };
  return {
    ports: (plain, of) => ({
      ...plain,
      open: (deliveries) => opened(deliveries, plain, ciphers),
      broker: brokerOf(plain.broker, ciphers),
      backend: backendOf(plain.backend, of, ciphers),
      timers: timersOf(plain.timers, ciphers),
      groups: groupsOf(plain.groups, ciphers),
      schedules: schedulesOf(plain.schedules, ciphers),
      ...(plain.marks === undefined ? {} : { marks: marksOf(plain.marks, ciphers) }),
      ...(plain.slots === undefined ? {} : { slots: slotsOf(plain.slots, ciphers) }),
      ...(plain.blobs === undefined ? {} : { blobs: blobsOf(plain.blobs, ciphers) }),
      ...(plain.deadLetters === undefined ? {} : { deadLetters: deadLettersOf(plain.deadLetters, ciphers) }),
    }),
  };
}

/** What it gave may be secret: it is not told. */
function bytesOf(given: unknown, what: keyof Codec): Uint8Array {
  if (given instanceof Uint8Array) return given;
  throw new ImproperlyConfigured(`codec.${what}() gave ${kindOf(given)}; bytes (a Uint8Array) are needed.`);
}

async function opened(
  deliveries: readonly Delivery[],
  { logger }: Pick<Ports, 'logger'>,
  { decrypt }: Ciphers,
): Promise<Delivery[]> {
  return Promise.all(
    deliveries.map(async (delivery) => {
      try {
        return { ...delivery, body: await decryptBody(delivery.body, decrypt) };
      } catch (error) {
        logger.log('error', `Message ${delivery.messageId} cannot be decrypted: ${errorLine(error)}`, {
          queue: delivery.queue,
        });
        return delivery;
      }
    }),
  );
}

// Ours whose text is a task's own.
const OF_TASKS: ReadonlySet<unknown> = new Set([
  'TASK_ERROR',
  'TASK_REJECTED',
  'REJECT',
  'RETRY',
  'IGNORE',
  'CHORD_ERROR',
  'INVALID_KEY',
  'MAX_RETRIES_EXCEEDED',
]);

/** Texts of AWS's errors and of most of ours hold no data of tasks; those of all others may. */
function mayQuoteData(thrown: unknown): boolean {
  if (!isError(thrown)) return true;
  try {
    return CeleriacError.is(thrown)
      ? QUOTING.has(thrown.code) || OF_TASKS.has(thrown.code)
      : !('$metadata' in thrown || '$fault' in thrown);
  } catch {
    return true;
  }
}

function brokerOf(broker: Broker, { encrypt }: Ciphers): Broker {
  return {
    async send(items) {
      const encrypted = await Promise.all(
        items.map(async (item): Promise<OutgoingMessage | SendOutcome> => {
          try {
            return { ...item, body: await encryptBody(item.body, encrypt) };
          } catch (error) {
            return notEncrypted(error);
          }
        }),
      );
      const messages = encrypted.filter((each) => 'body' in each);
      const sent = messages.length === 0 ? [] : await broker.send(messages);
      let next = 0;
      return encrypted.map((each) => ('ok' in each ? each : (sent[next++] as SendOutcome)));
    },
    changeVisibility: (...args) => broker.changeVisibility(...args),
  };
}

/** Nothing leaves plain because keys cannot be had. */
function notEncrypted(error: unknown): SendOutcome {
  const { name, message } = isError(error) ? error : { name: 'Error', message: 'The codec failed.' };
  return { ok: false, code: name, message, retryable: isPassing(error), cause: error };
}

function timersOf(timers: Timers, { encrypt }: Ciphers): Timers {
  const encrypted = async (timer: Timer): Promise<Timer> => ({
    ...timer,
    message: { ...timer.message, body: await encryptBody(timer.message.body, encrypt) },
  });
  return {
    put: async (all) => timers.put(await Promise.all(all.map(encrypted))),
    ...(timers.writeOf === undefined
      ? {}
      : { writeOf: async (timer) => (timers.writeOf as NonNullable<Timers['writeOf']>)(await encrypted(timer)) }),
    // What is due is sent as it lies there.
    eachDue: (...args) => timers.eachDue(...args),
    remove: (...args) => timers.remove(...args),
  };
}

function marksOf(marks: Marks, { encrypt, decrypt }: Ciphers): Marks {
  type WithMessage = { readonly message: OutgoingMessage };
  const through = async <T extends WithMessage>(from: T, change: (body: string) => Promise<string>): Promise<T> => ({
    ...from,
    message: { ...from.message, body: await change(from.message.body) },
  });
  const close = <T extends WithMessage>(from: T): Promise<T> => through(from, (body) => encryptBody(body, encrypt));
  const open = <T extends WithMessage>(from: T): Promise<T> => through(from, (body) => decryptBody(body, decrypt));
  return {
    take: (...args) => marks.take(...args),
    noteSent: (...args) => marks.noteSent(...args),
    clear: (...args) => marks.clear(...args),
    noteToken: (...args) => marks.noteToken(...args),
    close: (...args) => marks.close(...args),
    async episode(key) {
      const found = await marks.episode(key);
      return found && open(found);
    },
    open: async (key, episode, instead) => marks.open(key, await close(episode), instead),
    join: async (request) => marks.join(await close(request)),
    async seal(...args) {
      const sealed = await marks.seal(...args);
      return sealed.kind === 'gone' ? sealed : { ...sealed, episode: await open(sealed.episode) };
    },
  };
}

/** A slot is for a message that waits in the store: it is sent as it lies there. */
function slotsOf(slots: SlotStore, { encrypt }: Ciphers): SlotStore {
  const encrypted = async (parked: Parked): Promise<Parked> => {
    const { wake } = parked;
    if (wake.kind !== 'send') return parked;
    return {
      ...parked,
      wake: { ...wake, message: { ...wake.message, body: await encryptBody(wake.message.body, encrypt) } },
    };
  };
  return {
    read: (...args) => slots.read(...args),
    write: (...args) => slots.write(...args),
    park: async (key, parked, notedMs) => slots.park(key, await Promise.all(parked.map(encrypted)), notedMs),
    noteLine: (...args) => slots.noteLine(...args),
    lines: (...args) => slots.lines(...args),
    since: (...args) => slots.since(...args),
    line: (...args) => slots.line(...args),
    parked: (...args) => slots.parked(...args),
    unpark: (...args) => slots.unpark(...args),
    count: (...args) => slots.count(...args),
    lastPlace: (...args) => slots.lastPlace(...args),
  };
}

// What a token has beside its bytes.
const TOKEN_BYTES = 65_600;

/** Large payloads: compressed before, and pointed to by what is encrypted. */
function blobsOf(blobs: Blobs, { encrypt, decrypt }: Ciphers): Blobs {
  return {
    put: async (key, bytes) => blobs.put(key, await encrypt(bytes)),
    async get(key, maxBytes) {
      const blob = await blobs.get(key, maxBytes + TOKEN_BYTES);
      return blob && { ...blob, bytes: await decrypt(blob.bytes) };
    },
    delete: (...args) => blobs.delete(...args),
  };
}

/** People redrive letters with other arguments, where the key is at hand. */
function deadLettersOf(letters: DeadLetters, { decrypt }: Ciphers): DeadLetters {
  return {
    receive: async (...args) =>
      Promise.all(
        (await letters.receive(...args)).map(async (letter) => {
          try {
            return { ...letter, body: await decryptBody(letter.body, decrypt) };
          } catch (error) {
            if (DecryptionFailed.is(error)) return letter;
            throw error;
          }
        }),
      ),
    show: (...args) => letters.show(...args),
    remove: (...args) => letters.remove(...args),
    count: (...args) => letters.count(...args),
  };
}
