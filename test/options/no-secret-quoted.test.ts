/** Options that hold secrets, given in the wrong form: no error quotes them, since errors stand in logs and in terminals. */
import { Stack } from 'aws-cdk-lib';
import { Celeriac } from 'celeriac';
import { aesGcm } from 'celeriac/codec';
import { TaskService, type TaskServiceProps } from 'celeriac/infra';
import { expect, it } from 'vitest';

import { ENTRY, newApp } from '../infra/stacks.ts';

const SECRET = 'hunter2-hunter2';
/** A secret as somebody may give it where it does not belong. */
const FORMS: readonly unknown[] = [SECRET, [SECRET], { secret: SECRET }, { [SECRET.length]: SECRET }];

const app = new Celeriac('shop', { queues: { default: {} } });
const service = (props: object): TaskService =>
  new TaskService(new Stack(newApp(), 'Shop'), 'Tasks', {
    app: new Celeriac('shop', { queues: { default: {} }, codec: aesGcm({ environment: 'KEYS' }) }),
    entry: ENTRY,
    ...props,
  } as TaskServiceProps);

const PLACES: Readonly<Record<string, (value: never) => unknown>> = {
  codec: (value) => new Celeriac('other', { codec: value }),
  'aesGcm()': (value) => aesGcm(value),
  'secret of aesGcm()': (value) => aesGcm({ secret: value }),
  'secret of an HTTP task': (secret) => app.http('a.http', { url: 'https://example.org/', secret }),
  'headers of an HTTP task': (headers) => app.http('b.http', { url: 'https://example.org/', headers: { a: headers } }),
  'all headers of an HTTP task': (headers) => app.http('c.http', { url: 'https://example.org/', headers }),
  'options of an HTTP task': (value) => app.http('d.http', value),
  'secret of a webhook': (secret) =>
    app.task('e.hook', { webhook: { url: 'https://example.org/', secret } }, () => undefined),
  payloadKeys: (payloadKeys) => service({ payloadKeys }),
  'a payload key': (key) => service({ payloadKeys: { KEYS: key } }),
  'a secret of functions': (secret) => service({ secrets: { PASSWORD: secret } }),
  'auth of the monitor': (auth) => service({}).addMonitor({ auth }),
  'password of the monitor': (password) => service({}).addMonitor({ auth: { password } }),
};

it.each(Object.keys(PLACES))('%s', (place) => {
  for (const form of FORMS) {
    let message = '';
    try {
      // What is taken is not told of either.
      PLACES[place]?.(form as never);
    } catch (error) {
      message = String(error);
    }
    expect(message).not.toContain(SECRET);
  }
});

it('a user and a password in an address', () => {
  for (const url of [
    `https://user:${SECRET}@example.org/`,
    `http:/user:${SECRET}@example.org/`,
    `user:${SECRET}@example.org`,
  ])
    expect(() => app.http('f.http', { url })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(SECRET) }),
    );
});
