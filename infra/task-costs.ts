/** What a task asks of AWS. `npm run bench` counts it, and a test holds these figures against its counts. */

/** Write units of a task with a result of up to half a KB: its claim and its end. */
export const TASK_WRITE_UNITS = 2;
/** Bytes of its two log lines, for names of usual length. */
export const TASK_LOG_BYTES = 600;
/** Read units of a sweep that finds nothing, besides one for each shard of timers: schedule entries, and pauses. */
export const IDLE_SWEEP_READS = 2;

/** Write units of the history, for each batch: up to some ten tasks of usual names in an item of a kilobyte. */
export const HISTORY_BATCH_WRITE_UNITS = 1;
/** Read units of a sweep that finds no history: how far it is, and the four parts of an hour. */
export const HISTORY_SWEEP_READS = 5;

/** Not counted, supposed: how long a task runs, and how long a sweep that finds nothing. Both are billed by the millisecond. */
export const TASK_MS = 50;
export const SWEEP_MS = 150;
/** As Lambda documents it: pollers of an event source, and long polls of 20 s a minute. */
export const POLLERS = 5;
export const POLLS_A_MINUTE = 3;
export const MINUTES_A_MONTH = 43_800;
