/** What ends a command, and with which exit code. */

/** The arguments are not those of the command: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What was asked for has failed, and all has been said: exit code 1. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/** The service cannot be reached, or does not allow it: exit code 3. */
export class NotReachable extends Error {
  override readonly name = 'NotReachable';
}
