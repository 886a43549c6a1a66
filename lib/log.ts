import type { Logger, LogLevel } from './ports.ts';

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 10, info: 20, warn: 30, error: 40 };

/** JSON lines on standard output: what Lambda's JSON log format passes through as it is. */
export function consoleLogger(minimum: LogLevel = 'info'): Logger {
  return {
    log(level, message, fields) {
      if (ORDER[level] < ORDER[minimum]) return;
      // JSON.stringify escapes line breaks and control characters, so one event stays one line.
      console[level](JSON.stringify({ level: level.toUpperCase(), message, ...fields }));
    },
  };
}

export const silentLogger: Logger = { log: () => {} };
