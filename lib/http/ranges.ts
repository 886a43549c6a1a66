/** Ranges of addresses, and those to which no request goes whatever an app allows. */
import { BlockList, isIP } from 'node:net';

/** Where clouds tell machines their credentials, and what is no machine's own address. */
const NEVER: BlockList = rangesOf([
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::/32',
  // 169.254.0.0/16 by NAT64 and by 6to4.
  '64:ff9b::a9fe:0/112',
  '2002:a9fe::/32',
  '0.0.0.0/8',
  '224.0.0.0/3',
  '::',
  'ff00::/8',
]);
const LOOPBACK: BlockList = rangesOf(['127.0.0.0/8', '::1']);
// One of each of those ranges: what allows it is too wide.
const SAMPLES = ['169.254.169.254', 'fe80::1', 'fd00:ec2::254', '0.0.0.0', '239.1.1.1', '255.255.255.255', 'ff02::1'];

export function isNever(address: string): boolean {
  return includes(NEVER, address);
}

export function isLoopback(address: string): boolean {
  return includes(LOOPBACK, address);
}

/** An address of ranges that no request goes to, whatever is allowed. */
export function refusedWhatever(ranges: BlockList): string | undefined {
  return SAMPLES.find((address) => includes(ranges, address));
}

export function includes(ranges: BlockList, address: string): boolean {
  return ranges.check(address, familyOf(address));
}

/** Addresses and ranges (`10.1.0.0/16`). @throws Error where one is none */
export function rangesOf(texts: readonly string[]): BlockList {
  const ranges = new BlockList();
  for (const text of texts) {
    const [address = '', bits, ...others] = text.split('/');
    if (bits === undefined) ranges.addAddress(address, familyOf(address));
    else
      ranges.addSubnet(address, others.length === 0 && /^\d{1,3}$/.test(bits) ? Number(bits) : -1, familyOf(address));
  }
  return ranges;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
