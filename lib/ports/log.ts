/** Port of the log. */
// ------------------------------------------------------------------ log

/** How important a line is, from least to most. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where log lines go. Fields hold names and ids, never arguments or results. */
export interface Logger {
  /** Writes one line. It must not throw: a worker logs where nothing can be done about an error any more. */
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}
