/** Values as the text of an answer. */

/** What JSON has no form for is shown as text: results may hold anything that a message can say. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'bigint' || typeof each === 'symbol' || typeof each === 'function' ? String(each) : each,
  );
}
