/**
 * How many runs a property has: few in `npm test`, many in its twin among the long tests, which says
 * `vi.stubEnv('RUNS', 'many')` before it imports the file.
 */
export function runs(few: number, many: number): number {
  return process.env['RUNS'] === 'many' ? many : few;
}
