/** What has been told of failures, in memory: the executable meaning of `Notices`. Mails go into a list. */
import { NOTICE_DIGEST_SECONDS, NOTICE_OVERDUE_SECONDS } from '../base/limits.ts';
import { firstWindow, forgotten, NOTICES_PARTITION, noticeMinuteKey } from '../ports/notice-place.ts';
import type {
  CloseRequest,
  KnownFailure,
  Mail,
  MarkOutcome,
  MarkRequest,
  NoticeMinute,
  Notices,
  NoticeWindow,
  Notifier,
} from '../ports/notices.ts';
import { checkItem } from '../ports/store-limits.ts';

/** What has been told, in memory: the meaning of the port. */
export class MemoryNotices implements Notices {
  #window: NoticeWindow | undefined;
  #takenUntilMs = 0;
  readonly #minutes = new Map<string, NoticeMinute>();

  window(): Promise<NoticeWindow | undefined> {
    return Promise.resolve(this.#window);
  }

  mark(request: MarkRequest): Promise<MarkOutcome> {
    const { failure, nowMs, limit } = request;
    const window = this.#window ?? { ...firstWindow(request), marks: 0, known: new Map<string, KnownFailure>() };
    if (window.known.has(failure.key)) return Promise.resolve({ kind: 'known', window });
    if (window.marks >= limit) return Promise.resolve({ kind: 'full', window });
    const known = new Map(window.known).set(failure.key, {
      endedMs: failure.endedMs,
      markedMs: nowMs,
      untold: failure,
    });
    checkItem({ pk: NOTICES_PARTITION, known: JSON.stringify([...known]) });
    this.#window = { ...window, marks: window.marks + 1, known };
    return Promise.resolve({ kind: 'marked', window: this.#window });
  }

  told(key: string): Promise<void> {
    const known = this.#window?.known.get(key);
    if (this.#window === undefined || known === undefined) return Promise.resolve();
    const { untold: _told, ...rest } = known;
    this.#window = { ...this.#window, known: new Map(this.#window.known).set(key, rest) };
    return Promise.resolve();
  }

  takeDigest({ untilMs }: NoticeWindow, nowMs: number): Promise<boolean> {
    if (this.#window?.untilMs !== untilMs || this.#takenUntilMs > nowMs) return Promise.resolve(false);
    this.#takenUntilMs = nowMs + NOTICE_DIGEST_SECONDS * 1000;
    return Promise.resolve(true);
  }

  close(request: CloseRequest): Promise<void> {
    const { window, startMs, untilMs } = request;
    const current = this.#window;
    if (current?.untilMs !== window.untilMs) return Promise.resolve();
    const known = new Map(current.known);
    for (const key of forgotten(request)) known.delete(key);
    const marks = current.marks - window.marks;
    this.#takenUntilMs = 0;
    this.#window = known.size === 0 ? undefined : { startMs, untilMs, marks, known };
    return Promise.resolve();
  }

  putMinute({ startMs, count, data, expiresAtSeconds }: Parameters<Notices['putMinute']>[0]): Promise<void> {
    const key = noticeMinuteKey(startMs);
    checkItem({ pk: NOTICES_PARTITION, sk: key, count, data, ttl: expiresAtSeconds });
    if ((this.#minutes.get(key)?.count ?? 0) <= count) this.#minutes.set(key, { startMs, count, data });
    return Promise.resolve();
  }

  minutes({ fromMs, untilMs }: Parameters<Notices['minutes']>[0]): Promise<readonly NoticeMinute[]> {
    const minutes = [...this.#minutes.values()]
      .filter(({ startMs }) => startMs >= fromMs && startMs < untilMs)
      .toSorted((left, right) => left.startMs - right.startMs);
    return Promise.resolve(minutes.map((minute) => ({ ...minute })));
  }

  /** When a sweep has something to do here, milliseconds since the epoch; undefined for never. For worlds. */
  dueMs(): number | undefined {
    if (this.#window === undefined) return undefined;
    const overdue = [...this.#window.known.values()]
      .filter(({ untold }) => untold !== undefined)
      .map(({ markedMs }) => markedMs + NOTICE_OVERDUE_SECONDS * 1000);
    return Math.min(this.#window.untilMs, ...overdue);
  }
}

/** Mails in the order in which they were sent. */
export class MemoryNotifier implements Notifier {
  /** What was sent. */
  readonly mails: Mail[] = [];

  send(mail: Mail): Promise<void> {
    this.mails.push(mail);
    return Promise.resolve();
  }
}
