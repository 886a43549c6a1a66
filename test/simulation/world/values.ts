/** Values that are known but for the words of an error. */

/** What `policy: 'settled'` gives the body for a member. */
export type SettledResult =
  | { readonly status: 'SUCCESS'; readonly value: unknown }
  | { readonly status: string; readonly error: { readonly type: string; readonly message?: string } };

/** Whether a value is the expected one; of an error without a message only the type is. */
export function fits(value: unknown, expected: unknown): boolean {
  if (Array.isArray(expected))
    return (
      Array.isArray(value) &&
      value.length === expected.length &&
      expected.every((each, index) => fits((value as readonly unknown[])[index], each))
    );
  if (typeof expected !== 'object' || expected === null) return value === expected;
  if (typeof value !== 'object' || value === null) return false;
  const [given, wanted] = [value as Record<string, unknown>, expected as Record<string, unknown>];
  return Object.keys(wanted).every((key) => fits(given[key], wanted[key]));
}
