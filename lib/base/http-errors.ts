/** Errors of HTTP tasks and webhooks. */
import { CeleriacError } from './celeriac-error.ts';

/** A request of an HTTP task or of a webhook would go where it may not: nothing was sent. */
export class HttpTargetRefused extends CeleriacError {
  static readonly errorName: string = 'HttpTargetRefused';
  static override readonly code: string = 'HTTP_TARGET_REFUSED';
}

/** A request of an HTTP task or of a webhook brought no answer, or one that tells of a failure. */
export class HttpRequestFailed extends CeleriacError {
  static readonly errorName: string = 'HttpRequestFailed';
  static override readonly code: string = 'HTTP_REQUEST_FAILED';
  /** Of the answer; undefined without one, and where the error was read from a result. */
  readonly status?: number;
}
