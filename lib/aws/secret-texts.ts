/** Texts of secrets in Secrets Manager, kept for some minutes: what was changed holds after that. */
import { systemClock } from '../base/time.ts';
import { functionRequests } from './function-requests.ts';
import type { ToolRequests } from './tool-requests.ts';

const SECRET_SECONDS = 300;

type Reader = Pick<ToolRequests, 'secret'>;

export class SecretTexts {
  readonly #requests: Reader;
  readonly #held = new Map<string, { readonly text: Promise<string>; readonly untilMs: number }>();

  constructor(requests: Reader) {
    this.#requests = requests;
  }

  text(arn: string): Promise<string> {
    const nowMs = systemClock.nowMs();
    const held = this.#held.get(arn);
    if (held !== undefined && held.untilMs > nowMs) return held.text;
    const text = this.#requests.secret(arn);
    this.#held.set(arn, { text, untilMs: nowMs + SECRET_SECONDS * 1000 });
    // What failed is not kept.
    text.catch(() => this.#held.delete(arn));
    return text;
  }
}

let own: SecretTexts | undefined;

/** By credentials and Region of this process's environment. @throws OperationalError */
export function readSecret(arn: string): Promise<string> {
  own ??= new SecretTexts(functionRequests(systemClock));
  return own.text(arn);
}
