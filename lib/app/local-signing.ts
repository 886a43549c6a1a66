/** Who signs status addresses of an app on this machine: the embedded cloud says so, in the place of a variable. */
import type { StatusSigning } from '../options/status-variable.ts';

const SIGNINGS = new WeakMap<object, StatusSigning>();

/** @param signing undefined for none any more */
export function signLocally(app: object, signing: StatusSigning | undefined): void {
  if (signing === undefined) SIGNINGS.delete(app);
  else SIGNINGS.set(app, signing);
}

export function localSigning(app: object): StatusSigning | undefined {
  return SIGNINGS.get(app);
}
