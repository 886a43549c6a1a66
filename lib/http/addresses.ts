/** To which addresses a request may go: public ones, and those that the app names. What is no plain address is none. */
import type { BlockList } from 'node:net';
import { isIP } from 'node:net';

import type { AddressLibrary } from './address-library.ts';
import { includes, isLoopback, isNever } from './ranges.ts';

// The first three bits of 2000::/3, from which all public addresses of IPv6 are given out.
const GLOBAL_MASK = 0xe000;
const GLOBAL = 0x2000;

/** What of the private addresses is allowed. */
export interface AllowedAddresses {
  readonly ranges: BlockList;
  /** Whether those of this machine may be among them. */
  readonly loopback: boolean;
  readonly library: AddressLibrary;
}

/** Undefined where a request may go there, else what the address is. */
export function addressRefusal(address: string, allowed: AllowedAddresses): string | undefined {
  // With a zone (`fe80::1%eth0`) it is of one link.
  if (isIP(address) === 0 || address.includes('%')) return 'no address';
  if (isNever(address)) return 'link-local, of metadata or multicast, where no request goes';
  if (isLoopback(address) && !allowed.loopback) return 'of this machine';
  if (includes(allowed.ranges, address)) return undefined;
  const parsed = allowed.library.parse(address);
  const range = parsed.range();
  if (range !== 'unicast') return `not public (${range})`;
  // IPv4 in IPv6 (`::7f00:1`) is unicast to the library.
  const isGlobal = !(parsed instanceof allowed.library.IPv6) || ((parsed.parts[0] ?? 0) & GLOBAL_MASK) === GLOBAL;
  return isGlobal ? undefined : 'not public (no global IPv6)';
}
