/** Runs before each test file: what fast-check's properties have in common. */
import fc from 'fast-check';

/**
 * The seed of every property that names none. Fixed, so that a run says something about the change it is run on
 * and not about its luck; `PROPERTY_SEED=… npm test` looks elsewhere, and replays what it finds.
 */
const seed = Number(process.env['PROPERTY_SEED'] ?? 20_261_121);
if (!Number.isInteger(seed)) throw new RangeError(`PROPERTY_SEED is "${process.env['PROPERTY_SEED']}", not an integer`);

/** For thousands of seeds, on a machine that has the time: `SEEDS=2000 PROPERTY_SECONDS=3600 npm run test:long -- test/flow --testTimeout=3600000`. */
const seconds = Number(process.env['PROPERTY_SECONDS'] ?? 45);
if (!(seconds > 0)) throw new RangeError(`PROPERTY_SECONDS is "${process.env['PROPERTY_SECONDS']}", not above 0`);

fc.configureGlobal({
  seed,
  // Of the whole property, shrinking included: a failure of large values could otherwise be shrunk for half an hour.
  // Below the time of a test (vitest.config.ts); both are of the clock on the wall, and machines may be busy.
  interruptAfterTimeLimit: seconds * 1000,
});
