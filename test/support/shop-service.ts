/** A service on the embedded cloud for tests of commands, and JSON as its schemas say. */
import { Ajv } from 'ajv';
import { Celeriac, Reject } from 'celeriac';
import { expect } from 'vitest';

import type { JsonSchema } from '../../lib/cli/command.ts';
import { type Answer, jsonOf } from './celeriac.ts';

const ajv = new Ajv({ strict: false, formats: { 'date-time': true } });

/** The lines of `--json`, each held by the schema. */
export function expectSchema(answer: Answer, schema: JsonSchema | undefined): Record<string, unknown>[] {
  const lines = jsonOf(answer);
  for (const line of lines) expect(ajv.validate(schema ?? false, line), JSON.stringify([line, ajv.errors])).toBe(true);
  return lines;
}

export interface Shop {
  readonly app: Celeriac;
  /** Resolves when the first shipment runs; it ends when `release` is called. */
  readonly shipping: Promise<void>;
  readonly release: () => void;
  /** Resolves when it is called. */
  readonly released: Promise<void>;
}

export function shopApp(): Shop {
  const app = new Celeriac('shop', { queues: { default: {}, mail: {} }, routes: { 'mail.*': 'mail' } });
  app.task('orders.charge', (who: string, cents: number) => ({ who, cents }));
  app.task('orders.fail', () => {
    throw new TypeError('total is undefined');
  });
  app.task('mail.block', () => {
    throw new Reject('address is blocked');
  });
  app.task('orders.once', { unique: { key: 'all', until: 'finished' } }, (): number => 1);
  const began = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  app.task('orders.ship', { concurrency: { limit: 1, key: (country: string) => country } }, async (country: string) => {
    began.resolve();
    await gate.promise;
    return country;
  });
  app.task('orders.endless', { bind: true, trackStarted: true }, async (self) => {
    await new Promise((_resolve, reject) => self.signal.addEventListener('abort', reject));
  });
  return { app, shipping: began.promise, release: () => gate.resolve(), released: gate.promise };
}
