/** Which mail server the environment names, and what is refused with variable, value and fix. */
import { describe, expect, it } from 'vitest';

import { readMailServer } from '../../lib/options/mail-server.ts';

const ADDRESSES = { CELERIAC_MAIL_FROM: 'tasks@example.org', CELERIAC_MAIL_TO: ' ops@example.org,boss@example.org ' };
const TOLD = { from: 'tasks@example.org', to: ['ops@example.org', 'boss@example.org'] };
const LOGIN = { CELERIAC_SMTP_PASSWORD: 'geheim' };

it('none is named', () => {
  expect(readMailServer({})).toBeUndefined();
  expect(readMailServer({ CELERIAC_SMTP_URL: '', CELERIAC_MAIL_TO: '' })).toBeUndefined();
});

it.each<[string, object, object]>([
  ['smtps://mail.example.org', {}, { host: 'mail.example.org', port: 465, tls: 'always' }],
  ['smtp://mail.example.org', {}, { host: 'mail.example.org', port: 587, tls: 'required' }],
  ['smtp://relay.internal:25?tls=none', {}, { host: 'relay.internal', port: 25, tls: 'none' }],
  ['smtp://127.0.0.1:1025', {}, { host: '127.0.0.1', port: 1025, tls: 'none' }],
  ['smtp://[::1]:1025?tls=required', {}, { host: '::1', port: 1025, tls: 'required' }],
  [
    'smtps://tasks%40example.org@mail.example.org:2465',
    LOGIN,
    { host: 'mail.example.org', port: 2465, tls: 'always', user: 'tasks@example.org', password: 'geheim' },
  ],
  [
    'smtps://a:p%3A%40w@mail.example.org/',
    {},
    { host: 'mail.example.org', port: 465, tls: 'always', user: 'a', password: 'p:@w' },
  ],
  ['smtp://a@localhost:25', LOGIN, { host: 'localhost', port: 25, tls: 'none', user: 'a', password: 'geheim' }],
])('%s', (url, more, expected) => {
  expect(readMailServer({ CELERIAC_SMTP_URL: url, ...ADDRESSES, ...more })).toEqual({ ...expected, ...TOLD });
});

describe('refused', () => {
  const smtps = { CELERIAC_SMTP_URL: 'smtps://mail.example.org', ...ADDRESSES };
  const at = (url: string, more: object = {}): object => ({ ...smtps, CELERIAC_SMTP_URL: url, ...more });
  it.each<[string, object, RegExp]>([
    ['addresses without a server', ADDRESSES, /^CELERIAC_MAIL_FROM is set and CELERIAC_SMTP_URL is not/],
    ['a password without a server', LOGIN, /^CELERIAC_SMTP_PASSWORD is set and CELERIAC_SMTP_URL is not/],
    ['no address', at('mail.example.org:geheim'), /^CELERIAC_SMTP_URL: this is no address of a mail server/],
    ['another protocol', at('https://a:geheim@mail.example.org'), /this is no address of a mail server/],
    ['no host', at('smtps://'), /this is no address of a mail server/],
    ['a path', at('smtps://mail.example.org/inbox'), /'\/inbox' stands behind the host/],
    ['an unknown option', at('smtp://mail.example.org?tsl=none'), /'tsl' is no option/],
    ['an unknown kind of TLS', at('smtp://mail.example.org?tls=off'), /tls: 'off' given; required or none/],
    ['a kind of TLS beside smtps', at('smtps://mail.example.org?tls=none'), /\?tls is for smtp:\/\//],
    [
      'a password twice',
      at('smtps://a:geheim@mail.example.org', LOGIN),
      /has a password, and CELERIAC_SMTP_PASSWORD too/,
    ],
    ['a user without a password', at('smtps://a@mail.example.org'), /a user is given and no password/],
    ['a password without a user', at('smtps://mail.example.org', LOGIN), /a password is given and no user/],
    ['a password as it is', at('smtp://a@relay.internal?tls=none', LOGIN), /would send the password as it is/],
    ['no sender', { ...smtps, CELERIAC_MAIL_FROM: '' }, /^CELERIAC_MAIL_FROM: '' given; one address/],
    [
      'a sender with a header',
      { ...smtps, CELERIAC_MAIL_FROM: 'a@b.c\r\nBcc: d@e.f' },
      /^CELERIAC_MAIL_FROM: .*given/s,
    ],
    ['a sender with a name', { ...smtps, CELERIAC_MAIL_FROM: 'Tasks <a@b.c>' }, /^CELERIAC_MAIL_FROM: .*given/s],
    ['nobody', { ...smtps, CELERIAC_MAIL_TO: '' }, /^CELERIAC_MAIL_TO: '' given; one address.*several with commas/],
    ['an empty one', { ...smtps, CELERIAC_MAIL_TO: 'a@b.c,' }, /^CELERIAC_MAIL_TO: '' given/],
    ['one twice', { ...smtps, CELERIAC_MAIL_TO: 'a@b.c,a@b.c' }, /'a@b.c' stands there twice/],
    [
      'too many',
      { ...smtps, CELERIAC_MAIL_TO: Array.from({ length: 51 }, (_, index) => `a${index}@b.c`).join() },
      /51 addresses given; at most 50/,
    ],
  ])('%s', (_what, variables, said) => {
    const refused = ((): unknown => {
      try {
        return readMailServer(variables as Record<string, string>);
      } catch (error) {
        return error;
      }
    })();
    expect(refused).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(said) as string });
    expect(String(refused)).not.toContain('geheim');
  });
});
