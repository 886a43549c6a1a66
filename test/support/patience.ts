/**
 * How long a test waits for what must come by itself from servers, other processes and real clocks. Against what hangs, and
 * no measure of speed: where twenty want one core, what takes two seconds takes a minute. Below a test's own time
 * (vitest.config.ts), so that what did not come is named.
 */
export const PATIENCE_SECONDS = 150;
export const PATIENCE_MS: number = PATIENCE_SECONDS * 1000;
