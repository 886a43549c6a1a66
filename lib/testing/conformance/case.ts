/** One rule of a port, as a test case for any runner. */
export interface ConformanceCase {
  /** What must hold, as a test's title. */
  readonly name: string;
  /** Rejects with an AssertionError where it does not hold. */
  run(): Promise<void>;
}
