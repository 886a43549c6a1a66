/** Marks of keys in memory: the executable meaning of `Marks`. */
import {
  debouncePartition,
  type Episode,
  type JoinRequest,
  type KeyMark,
  type Marks,
  type OwnMark,
  type SealOutcome,
  type TakeMarkRequest,
  uniquePartition,
} from '../ports/marks.ts';
import { checkItem, partitionKey } from '../ports/store-limits.ts';

/** Marks of keys in memory: the meaning of the port. */
export class MemoryMarks implements Marks {
  readonly #marks = new Map<string, KeyMark>();
  readonly #episodes = new Map<string, Episode>();

  take(requests: readonly TakeMarkRequest[]): Promise<(KeyMark | undefined)[]> {
    return Promise.resolve(requests.map((request) => this.#take(request)));
  }

  noteSent(marks: readonly OwnMark[]): Promise<void> {
    for (const { key, id } of marks) {
      const partition = partitionKey(uniquePartition(key));
      const mark = this.#marks.get(partition);
      if (mark?.id === id) this.#marks.set(partition, { ...mark, sent: true });
    }
    return Promise.resolve();
  }

  clear(marks: readonly OwnMark[], unsent = false): Promise<void> {
    for (const { key, id } of marks) {
      const partition = partitionKey(uniquePartition(key));
      const mark = this.#marks.get(partition);
      if (mark?.id === id && !(unsent && mark.sent)) this.#marks.delete(partition);
    }
    return Promise.resolve();
  }

  episode(key: string): Promise<Episode | undefined> {
    return Promise.resolve(this.#episodes.get(partitionKey(debouncePartition(key))));
  }

  open(key: string, episode: Episode, instead?: string): Promise<boolean> {
    const stands = this.#episodes.get(partitionKey(debouncePartition(key)));
    const free = stands === undefined || stands.id === episode.id || (stands.id === instead && stands.sealed);
    if (free) this.#put(key, episode);
    return Promise.resolve(free);
  }

  join({ key, id, dueMs, message }: JoinRequest): Promise<boolean> {
    const stands = this.#episodes.get(partitionKey(debouncePartition(key)));
    if (stands?.id !== id || stands.sealed) return Promise.resolve(false);
    this.#put(key, { ...stands, dueMs, message });
    return Promise.resolve(true);
  }

  noteToken({ key, id }: OwnMark, tokenMs: number): Promise<void> {
    const stands = this.#episodes.get(partitionKey(debouncePartition(key)));
    if (stands?.id === id) this.#put(key, { ...stands, tokenMs });
    return Promise.resolve();
  }

  seal({ key, id }: OwnMark, nowMs: number): Promise<SealOutcome> {
    const stands = this.#episodes.get(partitionKey(debouncePartition(key)));
    if (stands?.id !== id) return Promise.resolve({ kind: 'gone' });
    if (!stands.sealed && stands.dueMs > nowMs) return Promise.resolve({ kind: 'waits', episode: stands });
    const sealed = { ...stands, sealed: true };
    this.#put(key, sealed);
    return Promise.resolve({ kind: 'sealed', episode: sealed });
  }

  close({ key, id }: OwnMark): Promise<void> {
    const partition = partitionKey(debouncePartition(key));
    if (this.#episodes.get(partition)?.id === id) this.#episodes.delete(partition);
    return Promise.resolve();
  }

  #take({ key, id, nowMs, expiresMs, instead }: TakeMarkRequest): KeyMark | undefined {
    const partition = partitionKey(uniquePartition(key));
    const stands = this.#marks.get(partition);
    const free = stands === undefined || stands.expiresMs < nowMs || stands.id === id || stands.id === instead;
    if (!free) return stands;
    this.#marks.set(partition, { id, expiresMs, sent: false });
    return undefined;
  }

  #put(key: string, episode: Episode): void {
    const partition = partitionKey(debouncePartition(key));
    checkItem({ pk: partition, id: episode.id, message: JSON.stringify(episode.message) });
    this.#episodes.set(partition, episode);
  }
}
