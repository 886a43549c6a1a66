/** The audit list in memory: the executable meaning of `Audit`. */
import { byBytes } from '../base/ids.ts';
import type { Audit, AuditEntry, AuditPosition } from '../ports/audit.ts';
import { sortKey } from '../ports/store-limits.ts';

/** The audit list in memory: the meaning of the port. */
export class MemoryAudit implements Audit {
  readonly #entries = new Map<string, AuditEntry>();

  async put(entry: AuditEntry): Promise<void> {
    this.#entries.set(sortKey(keyOf(entry)), { ...entry, on: [...entry.on] });
  }

  list({ limit, nowMs, after }: Parameters<Audit['list']>[0]): Promise<readonly AuditEntry[]> {
    const behind = after === undefined ? undefined : keyOf(after);
    const found = [...this.#entries]
      .filter(([, { expiresAtSeconds }]) => expiresAtSeconds * 1000 > nowMs)
      .filter(([key]) => behind === undefined || byBytes(key, behind) < 0)
      .toSorted(([left], [right]) => byBytes(right, left))
      .slice(0, limit);
    return Promise.resolve(found.map(([, entry]) => ({ ...entry, on: [...entry.on] })));
  }
}

function keyOf({ atMs, id }: AuditPosition): string {
  return `${String(atMs).padStart(13, '0')}#${id}`;
}
