/** One rule of a port, as a test case for any runner. */
export interface ConformanceCase {
  readonly name: string;
  run(): Promise<void>;
}
