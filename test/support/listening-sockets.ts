/** What a process listens on, as the kernel tells it: what a server says of itself is not asked. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ListeningSocket {
  readonly address: string;
  readonly port: number;
}

/** Whether this system has the tables that `listeningSockets` reads: Linux has. */
export function canListSockets(): boolean {
  return process.platform === 'linux';
}

const LISTEN = '0A';

/** @param pid of the process. Default: this one. */
export function listeningSockets(pid: number | 'self' = 'self'): ListeningSocket[] {
  const ours = new Set<string>();
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
      if (inode !== undefined) ours.add(inode);
    } catch {
      // Closed meanwhile, as the one that reads this directory is.
    }
  }
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTEN && ours.has(fields[9] ?? ''))
      .map((fields) => socketOf(fields[1] ?? '')),
  );
}

/** `0100007F:1F90` is 127.0.0.1:8080: each four bytes of the address are written as one little-endian number. */
function socketOf(written: string): ListeningSocket {
  const [hex = '', port = ''] = written.split(':');
  const bytes = Buffer.from(hex, 'hex');
  const address =
    bytes.length === 4
      ? [...bytes].toReversed().join('.')
      : Array.from({ length: bytes.length / 4 }, (_, word) =>
          Buffer.from(bytes.subarray(word * 4, word * 4 + 4).toReversed()).toString('hex'),
        ).join('');
  return { address, port: Number.parseInt(port, 16) };
}
