/** To which addresses a request goes: known tricks against the checks before the look-up, at it and behind it. */
import { BlockList } from 'node:net';

import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';

import { HttpTargetRefused, InvalidOption } from '../../lib/base/errors.ts';
import { addressRefusal } from '../../lib/http/addresses.ts';
import { rangesOf } from '../../lib/http/ranges.ts';
import { checkedTarget, type HostPattern, readHostPattern } from '../../lib/http/target.ts';
import { resolveTarget } from '../../lib/options/http-options.ts';

const NONE = { ranges: new BlockList(), loopback: true, library: ipaddr };

const PUBLIC = ['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001::200e'];
// Private, reserved and translated ones; at the end what sockets do not take for an address.
const NOT_PUBLIC = `
  127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 169.254.170.2
  100.64.0.1 100.127.255.254 100.100.100.200 0.0.0.0 0.1.2.3 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
  192.0.0.8 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 192.88.99.1 :: ::1 ::7f00:1 ::127.0.0.1
  ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:169.254.169.254 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1
  64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1:: 2002:a9fe:a9fe::1 2002:0a00:0001:: 2001::1 2001:db8::1 3fff::1
  fe80::1 fe80::1%lo febf::1 fec0::1 fc00::1 fd00:ec2::254 fdff::1 ff02::1 ff0e::1 100::1 localhost 0177.0.0.1
  0x7f.1 2130706433 127.1 1.2.3.4.5 [::1] 1.1.1.1/32
`
  .trim()
  .split(/\s+/)
  .concat('', '1.1.1.1 ');

describe('an address', () => {
  it.each(PUBLIC)('%s is public', (address) => expect(addressRefusal(address, NONE)).toBeUndefined());
  it.each(NOT_PUBLIC)('%s is not', (address) => expect(addressRefusal(address, NONE)).toBeTypeOf('string'));

  it('any of the private ranges, and what stands for it in IPv6', () => {
    const byte = fc.nat(255);
    const privateIpv4 = fc.oneof(
      fc.tuple(fc.constantFrom(0, 10, 127), byte, byte, byte),
      fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
      fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
      fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), byte, byte),
      fc.tuple(fc.integer({ min: 224, max: 255 }), byte, byte, byte),
    );
    fc.assert(
      fc.property(privateIpv4, (parts) => {
        const dotted = parts.join('.');
        const [a, b, c, d] = parts.map((part) => part.toString(16).padStart(2, '0'));
        const hex = `${a}${b}:${c}${d}`;
        for (const address of [
          dotted,
          `::ffff:${dotted}`,
          `::ffff:${hex}`,
          `::${hex}`,
          `64:ff9b::${hex}`,
          `2002:${hex}::1`,
        ])
          expect([address, addressRefusal(address, NONE)]).toEqual([address, expect.any(String)]);
      }),
      { numRuns: 100 },
    );
  });

  it('of a private range that is named, and of no other; never link-local, and never of this machine on Lambda', () => {
    const allowed = { ...NONE, ranges: rangesOf(['10.1.0.0/16', 'fd12::/32', '127.0.0.1', '169.254.0.0/16']) };
    expect(addressRefusal('10.1.255.1', allowed)).toBeUndefined();
    expect(addressRefusal('fd12::9', allowed)).toBeUndefined();
    expect(addressRefusal('127.0.0.1', allowed)).toBeUndefined();
    expect(addressRefusal('10.2.0.1', allowed)).toContain('private');
    expect(addressRefusal('169.254.169.254', allowed)).toContain('metadata');
    expect(addressRefusal('127.0.0.1', { ...allowed, loopback: false })).toContain('of this machine');
    expect(addressRefusal('::ffff:127.0.0.1', { ...allowed, loopback: false })).toContain('of this machine');
  });
});

function rulesOf(hosts: readonly string[], allowHttp = false) {
  return { hosts: hosts.map((host) => readHostPattern(host) as HostPattern), allowHttp, ranges: new BlockList() };
}

describe('a URL', () => {
  const rules = rulesOf(['api.example.org', '*.shop.example', 'port.example:8443', 'bücher.example', '8.8.8.8']);

  it.each([
    ['https://api.example.org/a?b=c', 'https://api.example.org/a?b=c'],
    ['https://api.example.org:443/', 'https://api.example.org/'],
    ['https://API.EXAMPLE.ORG/', 'https://api.example.org/'],
    ['HTTPS://api.example.org./x', 'https://api.example.org/x'],
    ['https://a.b.shop.example/', 'https://a.b.shop.example/'],
    ['https://port.example:8443/', 'https://port.example:8443/'],
    ['https://BÜCHER.example/', 'https://xn--bcher-kva.example/'],
    ['https://api.example.org/x#part', 'https://api.example.org/x'],
    ['https://8.8.8.8/', 'https://8.8.8.8/'],
    ['https://134744072/', 'https://8.8.8.8/'],
  ])('%s is asked as %s', (text, asked) => expect(checkedTarget(text, rules).href).toBe(asked));

  it.each([
    ['http://api.example.org/', 'https is allowed'],
    ['ftp://api.example.org/', 'https is allowed'],
    ['file:///etc/passwd', 'https is allowed'],
    ['javascript:alert(1)', 'https is allowed'],
    ['data:text/plain,x', 'https is allowed'],
    ['https://api.example.org:8443/', 'hosts allows'],
    ['https://api.example.org:80/', 'hosts allows'],
    ['https://port.example/', 'hosts allows'],
    ['https://user@api.example.org/', 'a user'],
    ['https://api.example.org:pw@evil.example/', 'a user'],
    ['https://api.example.org@evil.example/', 'a user'],
    ['https://evil.example#@api.example.org/', 'hosts allows'],
    ['https://evil.example?api.example.org', 'hosts allows'],
    ['https://evil.example/api.example.org', 'hosts allows'],
    ['https://evil.example\\@api.example.org/', 'without blanks'],
    ['https:\\\\api.example.org/', 'without blanks'],
    ['https://api.example.org\r\nHost: evil.example/', 'without blanks'],
    ['https://api.example.org/\u0000', 'without blanks'],
    ['https://api.example.org/a b', 'without blanks'],
    [' https://api.example.org/', 'without blanks'],
    ['https://ap\ti.example.org/', 'without blanks'],
    ['https://api.example.org../', 'hosts allows'],
    ['https://api.example.org.evil.example/', 'hosts allows'],
    ['https://evilapi.example.org/', 'hosts allows'],
    ['https://shop.example/', 'hosts allows'],
    ['https://evilshop.example/', 'hosts allows'],
    ['https://127.0.0.1/', 'hosts allows'],
    ['https://2130706433/', 'hosts allows'],
    ['https://0x7f000001/', 'hosts allows'],
    ['https://0177.0.0.1/', 'hosts allows'],
    ['https://127.1/', 'hosts allows'],
    ['https://１２７.０.０.１/', 'hosts allows'],
    ['https://①②⑦.⓪.⓪.①/', 'hosts allows'],
    ['https://[::1]/', 'hosts allows'],
    ['https://[::ffff:127.0.0.1]/', 'hosts allows'],
    ['https://[0:0:0:0:0:ffff:7f00:1]/', 'hosts allows'],
    ['https://localhost/', 'hosts allows'],
    ['https://localhost./', 'hosts allows'],
    ['https://metadata.google.internal/', 'hosts allows'],
    ['//api.example.org/', 'an absolute URL'],
    ['api.example.org', 'an absolute URL'],
    ['https://', 'an absolute URL'],
    ['https://[::1', 'an absolute URL'],
    [`https://api.example.org/${'a'.repeat(8000)}`, '8000 characters'],
    [undefined, 'an absolute URL'],
    [{ toString: (): string => 'https://api.example.org/' }, 'an absolute URL'],
  ])('%s is refused', (text, why) => {
    expect(() => checkedTarget(text, rules)).toThrow(HttpTargetRefused);
    expect(() => checkedTarget(text, rules)).toThrow(why);
  });

  it('every name, and no address, where all are allowed', () => {
    const every = rulesOf(['*']);
    expect(checkedTarget('https://anything.example/', every).hostname).toBe('anything.example');
    for (const host of ['127.0.0.1', '2130706433', '8.8.8.8', '[::1]', '[2606:4700::1111]'])
      expect(() => checkedTarget(`https://${host}/`, every)).toThrow(HttpTargetRefused);
    // A name that stands for an address is found out when it is looked up.
    expect(checkedTarget('https://localhost/', every).hostname).toBe('localhost');
  });

  it('tells neither path nor query of what it refuses', () => {
    expect(() => checkedTarget('https://evil.example/secret?token=1', rules)).toThrow(/evil\.example is refused/);
    try {
      checkedTarget('https://evil.example/secret?token=1', rules);
    } catch (error) {
      expect(String(error)).not.toMatch(/secret|token/);
    }
  });
});

describe('options of a target', () => {
  const url = 'https://api.example.org/';
  it.each([
    [{ hosts: [] }, 'hosts of x'],
    [{ hosts: 'api.example.org' }, 'hosts of x'],
    [{ hosts: ['https://api.example.org'] }, "'*.example.org'"],
    [{ hosts: ['api.example.org/path'] }, 'hosts of x'],
    [{ hosts: ['a.*.org'] }, 'hosts of x'],
    [{ hosts: ['*.127.0.0.1'] }, 'hosts of x'],
    [{ hosts: ['user@api.example.org'] }, 'hosts of x'],
    [{ hosts: ['other.example'] }, 'hosts allows other.example'],
    [{ allowPrivate: ['10.0.0.0/33'] }, 'allowPrivate of x'],
    [{ allowPrivate: ['10.0.0'] }, 'allowPrivate of x'],
    [{ allowPrivate: ['0.0.0.0/0'] }, '169.254.169.254'],
    [{ allowPrivate: ['169.254.169.254'] }, 'no request goes to link-local'],
    [{ allowPrivate: ['fd00::/8'] }, 'fd00:ec2::254'],
    [{ allowPrivate: ['fe80::1'] }, 'fe80::1'],
    [{ allowHttp: 1 }, 'allowHttp of x'],
    [{ redirects: 6 }, 'redirects of x'],
    [{ timeout: '1h' }, 'timeout of x'],
    [{ timeout: 0 }, 'timeout of x'],
    [{ secret: 'topsecret' }, 'secret of x'],
    [{ secret: undefined }, 'secret of x'],
    [{ secret: [] }, 'secret of x'],
    [{ secret: `whsec_${Buffer.alloc(23).toString('base64')}` }, '24 to 64 bytes'],
    [{ secret: `whsec_${Buffer.alloc(65).toString('base64')}` }, '24 to 64 bytes'],
    [{ headers: undefined }, 'headers of x'],
    [{ headers: { 'x-a': 'b\r\nx-evil: 1' } }, "the value of 'x-a'"],
    [{ headers: { 'x-a': 'b\nx-evil: 1' } }, "the value of 'x-a'"],
    [{ headers: { 'x-a': 'b\u0000' } }, "the value of 'x-a'"],
    [{ headers: { 'x-a': 'ĐĊ' } }, "the value of 'x-a'"],
    [{ headers: { 'x-a\r\nx-b': 'c' } }, 'no name of a header'],
    [{ headers: { 'x a': 'c' } }, 'no name of a header'],
    [{ headers: { Host: 'evil.example' } }, 'written by the library'],
    [{ headers: { 'Content-Length': '1' } }, 'written by the library'],
    [{ headers: { 'transfer-encoding': 'chunked' } }, 'written by the library'],
    [{ headers: { 'Webhook-Signature': 'v1,x' } }, 'written by the library'],
    [{ headers: { 'x-a': 'a'.repeat(9000) } }, 'bytes given'],
  ])('%j is refused', (options, why) => {
    expect(() => resolveTarget('x', options as never, url)).toThrow(InvalidOption);
    expect(() => resolveTarget('x', options as never, url)).toThrow(why);
  });

  it('never shows a secret or the value of a header', () => {
    for (const options of [{ secret: 'topsecret' }, { headers: { authorization: 'topsecret\n' } }])
      expect(() => resolveTarget('x', options, url)).not.toThrow('topsecret');
  });

  it('needs hosts where the URL is known late', () =>
    expect(() => resolveTarget('x', {}, () => url)).toThrow('hosts of x: nothing given'));
});
