/** The list of survivors that were looked at: test/mutation/survivors.md. */

export interface Reviewed {
  readonly key: string;
  readonly equivalent: boolean;
  readonly line: string;
}

const ENTRY = /^- ([0-9a-f]{12}) (.+): (equivalent|to be killed)(: .+)?$/;

/** Every line of the list says which mutant it is about and what was found. */
export function readReviewed(text: string): Reviewed[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('- '))
    .map((line) => {
      const [, key, , verdict, reason] = ENTRY.exec(line) ?? [];
      if (key === undefined || (verdict === 'equivalent' && reason === undefined))
        throw new Error(`Not '- <key> <mutant>: equivalent: <reason>' nor '...: to be killed': ${line}`);
      return { key, equivalent: verdict === 'equivalent', line };
    });
}
