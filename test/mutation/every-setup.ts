/** Runs before each test file of `npm run mutate:every`. */
import fc from 'fast-check';

// Every mutant waits for each property that comes to it.
const PROPERTY_MS = 2000;
fc.configureGlobal({ ...fc.readConfigureGlobal(), interruptAfterTimeLimit: PROPERTY_MS });
