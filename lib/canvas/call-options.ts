/** A signature as a call sends it: with the call's own options. */
import type { ApplyOptions } from '../options/apply-options.ts';
import type { Signature } from '../wire/signature.ts';
import { toSignatureOptions } from '../options/signature-options.ts';
import { merged, withKwargs, withOptions } from './parts.ts';

/** The signature with a call's options. Left out are the id, and how to send: they belong to no signature. */
export function withCallOptions(
  sig: Signature,
  { taskId: _taskId, kwargs, retry: _retry, retryPolicy: _policy, ...rest }: ApplyOptions,
): Signature {
  const own = toSignatureOptions(rest);
  const called = kwargs === undefined ? sig : withKwargs(sig, kwargs);
  return withOptions(called, { ...own, ...merged(sig.options, own) });
}
