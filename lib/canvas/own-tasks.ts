/** The names of this package's own tasks, which its messages carry. */

/** What all of their names begin with. */
export const OWN_TASKS = 'celeriac.';

/** Gives its argument, the results of a header, to what follows. */
export const COLLECT_TASK = 'celeriac.collect';

/** Fails with its argument. */
export const FAIL_TASK = 'celeriac.fail';

/** Comes when calls that are debounced are due. */
export const DEBOUNCE_TASK = 'celeriac.debounce';

/** Sends what a sender that died has left unsent. */
export const REPAIR_TASK = 'celeriac.repair';

/** Posts how a task ended. */
export const WEBHOOK_TASK = 'celeriac.webhook';

/** Looks whether those that wait for a slot can have one. */
export const PUMP_TASK = 'celeriac.pump';
