/** adapters.test.ts once more, with more histories. `HISTORIES=500 npm run test:long -- test/differential` looks further. */
import { vi } from 'vitest';

vi.stubEnv('HISTORIES', process.env['HISTORIES'] ?? '30');
await import('./adapters.test.ts');
