/** The class of every error of this library, told by a brand: two copies in one bundle have two classes. */

const BRAND = Symbol.for('celeriac.error');

/**
 * The class of every error of this library. Compare `code`, or ask `NotRegistered.is(error)`: two copies of the library
 * in one bundle have two classes of each name.
 */
export class CeleriacError extends Error {
  /** Stable name of the kind of error, such as `'QUEUE_NOT_FOUND'`; docs/errors.md lists them. */
  static readonly code: string = 'CELERIAC';
  /** The same of this error: compare it in `catch`, where classes of two copies differ. */
  readonly code: string;

  /** `options.cause` is the error behind it, where there is one. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    Object.defineProperty(this, BRAND, { value: true });
    const constructor = new.target;
    this.code = constructor.code;
    // Not `constructor.name`: minified bundles rename classes, and the name goes over the wire.
    this.name = (constructor as { errorName?: string }).errorName ?? 'CeleriacError';
  }

  /** Whether `value` is an error of this class or a subclass, across bundles. */
  static is(value: unknown): value is CeleriacError {
    if (typeof value !== 'object' || value === null) return false;
    try {
      if (!(BRAND in value)) return false;
      if (value instanceof this) return true;
      return this.code === 'CELERIAC' || (value as { code?: unknown }).code === this.code;
    } catch {
      // Whatever was thrown is asked, and a proxy may throw when it is.
      return false;
    }
  }
}
