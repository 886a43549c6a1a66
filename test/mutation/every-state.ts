/** What `npm run mutate:every` and its test runner tell each other, by the mutants' ids. */
export interface EveryState {
  /** Tests that take longer are left out, milliseconds. */
  readonly longestMs: number;
  /** All tests of the file together, for one mutant, milliseconds. */
  readonly mostMs: number;
  /** Those to be tried. */
  readonly wanted: readonly string[];
  /** Which test has failed with it. */
  readonly killed: Record<string, string>;
  /** Those that a test came to. */
  readonly reached: string[];
  /** Tests that cannot be repeated. */
  readonly failing: string[];
}
