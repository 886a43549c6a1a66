/** Which members of a group have ended, where nobody counts them: their records tell. What has ended is not read again. */
import { GROUP_PART_MEMBERS } from '../base/limits.ts';
import type { GroupCount } from '../ports/groups.ts';

/** What a member's record says of it. */
export interface MemberEnd {
  readonly index: number;
  readonly final: boolean;
  /** Ended, and not with SUCCESS. */
  readonly failed: boolean;
}

export class MemberEnds {
  /** In the order in which they are read next. */
  readonly #open: Set<number>;
  readonly #failed = new Set<number>();
  readonly #size: number;
  readonly #read: (indexes: readonly number[]) => Promise<readonly MemberEnd[]>;

  /** @param read asks the store, in one request for up to `GROUP_PART_MEMBERS`. */
  constructor(size: number, read: (indexes: readonly number[]) => Promise<readonly MemberEnd[]>) {
    this.#size = size;
    this.#read = read;
    this.#open = new Set(Array.from({ length: size }, (_, index) => index));
  }

  /** Reads every member that was open. */
  async all(): Promise<Pick<GroupCount, 'done' | 'failed'>> {
    for (let left = this.#open.size; left > 0; left -= GROUP_PART_MEMBERS)
      await this.#look(Math.min(left, GROUP_PART_MEMBERS));
    return this.#count();
  }

  /**
   * For whoever waits and asks again and again: reads page by page until one has an open member, and begins with another
   * page the next time. A thousand that are open cost one request, not sixteen; a thousand that have ended are found at once.
   */
  async some(): Promise<Pick<GroupCount, 'done' | 'failed'>> {
    while (this.#open.size > 0 && (await this.#look(GROUP_PART_MEMBERS)) === 0);
    return this.#count();
  }

  /** How many of the page are open. They come to the end of the line. */
  async #look(width: number): Promise<number> {
    let open = 0;
    for (const { index, final, failed } of await this.#read([...this.#open].slice(0, width))) {
      this.#open.delete(index);
      if (failed) this.#failed.add(index);
      if (final) continue;
      this.#open.add(index);
      open += 1;
    }
    return open;
  }

  #count(): Pick<GroupCount, 'done' | 'failed'> {
    return { done: this.#size - this.#open.size, failed: [...this.#failed].toSorted((left, right) => left - right) };
  }
}
