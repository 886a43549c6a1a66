/** Port of the log. */
// ------------------------------------------------------------------ log

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where log lines go. Fields hold names and ids, never arguments or results. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}
