/** Signed addresses at which a browser asks for the state of one task. */
import { readSecret } from '#deployed/app/read-secret';
import { idIn, refuseUnknownKeys } from '../base/checks.ts';
import { type Duration, durationSeconds } from '../base/duration.ts';
import { ImproperlyConfigured, InvalidOption, MissingEnvironment } from '../base/errors.ts';
import { DEFAULT_STATUS_URL_SECONDS, MAX_STATUS_URL_SECONDS } from '../base/limits.ts';
import { signStatus, statusKeys } from '../base/status-signature.ts';
import type { Clock } from '../base/time.ts';
import { processEnvironment } from '../options/environment.ts';
import { type StatusSigning, statusVariable } from '../options/status-variable.ts';
import type { StatusUrlExpiry } from '../results/result.ts';
import { localSigning } from './local-signing.ts';

const KEYS: ReadonlySet<string> = new Set<keyof StatusUrlExpiry>(['expires']);

/** @throws InvalidOption, MissingEnvironment, OperationalError */
export async function statusUrl(
  app: { readonly name: string; readonly clock: Pick<Clock, 'nowMs'> },
  id: string,
  options: StatusUrlExpiry,
): Promise<string> {
  refuseUnknownKeys(options, KEYS, 'statusUrl()');
  const seconds = expiresIn(options.expires ?? DEFAULT_STATUS_URL_SECONDS);
  const variable = statusVariable(app.name);
  const { url, secret, keys: text } = localSigning(app) ?? signingIn(processEnvironment()[variable], variable);
  const [key] = statusKeys(text ?? (await readSecret(secret ?? '')));
  if (key === undefined)
    throw new ImproperlyConfigured('The secret of status addresses has no key of at least 32 characters.');
  const expires = Math.ceil(app.clock.nowMs() / 1000 + seconds);
  const signature = signStatus({ app: app.name, id: idIn(id, 'statusUrl()'), expires }, key);
  return `${url.replace(/\/$/, '')}/tasks/${encodeURIComponent(id)}/status?expires=${expires}&signature=${signature}`;
}

function expiresIn(value: Duration): number {
  const seconds = durationSeconds(value, 'expires of statusUrl()', 1);
  if (seconds <= MAX_STATUS_URL_SECONDS) return seconds;
  throw new InvalidOption(
    `expires of statusUrl(): ${seconds} s given; at most ${MAX_STATUS_URL_SECONDS} s are allowed. An address cannot be taken back before it expires.`,
  );
}

/** @throws MissingEnvironment */
function signingIn(text: string | undefined, variable: string): StatusSigning {
  try {
    const signing = JSON.parse(text ?? '') as Partial<StatusSigning>;
    if (typeof signing.url === 'string' && (signing.secret ?? signing.keys) !== undefined)
      return signing as StatusSigning;
  } catch {
    // Told below.
  }
  throw new MissingEnvironment(
    `The environment variable ${variable} is missing, or is not what a stack writes: call addStatusUrl({ auth: 'signed' }) of the service, and grantSign(fn) of what it gives.`,
  );
}
