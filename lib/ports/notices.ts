/** Ports of who is told of failures: what has been told of them, and how mails are sent. */

/** A failure as a mail tells it: bounded texts, none of them escaped. Times are milliseconds since the epoch. */
export interface Failure {
  /** What makes it the same as others: eight hexadecimal digits. */
  readonly key: string;
  /** Name of the task. */
  readonly task: string;
  /** Task id. */
  readonly id: string;
  /** Celery's name of the queue that its message was in. */
  readonly queue: string;
  /** Of the task: FAILURE or REJECTED. */
  readonly state: string;
  /** Retries before it. */
  readonly retries: number;
  /** `name: message`. */
  readonly error: string;
  /** When it was committed. */
  readonly endedMs: number;
  /** Of the sweeper, which found several of its kind that nobody was told of: this is the last of them. */
  readonly times?: number;
  /** When its run began; absent where nothing ran. */
  readonly startedMs?: number;
  /** Deliveries of the last attempt, where there were several. */
  readonly deliveries?: number;
  /** Arguments as the message shows them. */
  readonly repr?: string;
  /** Which worker ended it. */
  readonly worker?: string;
  /** Absent where there is none, or where it is kept from readers. */
  readonly stack?: string;
  /** Why its message lies in the dead-letter queue. */
  readonly deadLetter?: string;
}

/** A kind of failures that has been told at once, or is to be. */
export interface KnownFailure {
  /** When the one that is told at once ended. */
  readonly endedMs: number;
  /** When it was noted that it is told. */
  readonly markedMs: number;
  /** As long as it is not told. */
  readonly untold?: Failure;
}

/** What the current window knows. */
export interface NoticeWindow {
  /** A whole minute: what ended at or after it is told in the digest. */
  readonly startMs: number;
  /** A whole minute: from then on there is a digest. */
  readonly untilMs: number;
  /** Kinds marked in this window. */
  readonly marks: number;
  /** By key. */
  readonly known: ReadonlyMap<string, KnownFailure>;
}

/** A failure that is to be told, where it is the first of its kind. */
export interface MarkRequest {
  /** What the mail tells. */
  readonly failure: Failure;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Of a window that begins with this failure. */
  readonly windowMs: number;
  /** Kinds that may be marked in one window. */
  readonly limit: number;
}

/** What became of a mark. */
export interface MarkOutcome {
  /** `known`: its kind had been marked before. `full`: as many others have been. */
  readonly kind: 'marked' | 'known' | 'full';
  /** As it is after the mark, or as it forbade it. */
  readonly window: NoticeWindow;
}

/** How often each kind failed in one minute. */
export interface NoticeMinute {
  /** When it begins, milliseconds since the epoch. */
  readonly startMs: number;
  /** Failures that it counts. */
  readonly count: number;
  /** The counts, packed; at most 400 KB with its keys. */
  readonly data: Uint8Array;
}

/** How a window ends, and when the next one is. Milliseconds since the epoch. */
export interface CloseRequest {
  /** The window as it was read: what was marked since stays. */
  readonly window: NoticeWindow;
  /** Keys of kinds that go on; all others that were read are forgotten. */
  readonly keep: readonly string[];
  /** When the next window begins: a whole minute. */
  readonly startMs: number;
  /** When the next window ends: a whole minute. */
  readonly untilMs: number;
}

/** What has been told of failures. Times to live are seconds since the epoch. */
export interface Notices {
  /** Strongly consistent; undefined where no window is open. */
  window(): Promise<NoticeWindow | undefined>;
  /** Notes that a kind of failure is told now, with the failure itself, and opens a window where none is open. */
  mark(request: MarkRequest): Promise<MarkOutcome>;
  /** The kind's failure was told. */
  told(key: string): Promise<void>;
  /** Takes the digest of a window for `NOTICE_DIGEST_SECONDS`. False where another has it, or the window is another. */
  takeDigest(window: NoticeWindow, nowMs: number): Promise<boolean>;
  /** Ends a window. The next one begins, unless nothing goes on and nothing was marked since. */
  close(request: CloseRequest): Promise<void>;
  /** Stores a minute, unless one that counts more stands there. */
  putMinute(minute: NoticeMinute & { readonly expiresAtSeconds: number }): Promise<void>;
  /** Minutes that begin in this time, in order. Strongly consistent. */
  minutes(range: { readonly fromMs: number; readonly untilMs: number }): Promise<readonly NoticeMinute[]>;
}

/** A mail, plain text. */
export interface Mail {
  /** One line of printable ASCII, 1 to 99 characters. */
  readonly subject: string;
  /** Lines; at most 64 KB. */
  readonly text: string;
}

/** Sends mails to whoever is to be told. */
export interface Notifier {
  /** Done when whoever delivers it has taken it. @throws what was answered */
  send(mail: Mail): Promise<void>;
}

/** Who is told of failures, and what has been. */
export interface Notifying {
  /** What has been told. */
  readonly notices: Notices;
  /** Name of the app. */
  readonly app: string;
  /** Absent where others send the mails. */
  readonly notifier?: Notifier | undefined;
  /** Length of a window. */
  readonly windowSeconds: number;
  /** Address of the monitor, for links. */
  readonly monitorUrl?: string | undefined;
}
