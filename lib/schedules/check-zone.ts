/** Names of time zones. Apart from `Zone`, which whoever only declares a schedule does without. */
import { shown } from '../base/checks.ts';
import { InvalidSchedule } from '../base/errors.ts';
import { isListedZone } from '../base/zone-names.ts';

/** @throws InvalidSchedule for a zone that the platform's database does not have. */
export function checkZone(name: unknown): asserts name is string {
  if (typeof name === 'string' && name !== '') {
    if (isListedZone(name)) return;
    try {
      return void new Intl.DateTimeFormat('en-US', { timeZone: name });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  throw new InvalidSchedule(
    `timezone: ${shown(name)} is not in the time zone database. Give an IANA name such as 'Europe/Berlin' or 'UTC'.`,
  );
}
