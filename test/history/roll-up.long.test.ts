/** roll-up.test.ts once more, further. `ROLL_UPS=2000 npm run test:long -- test/history` looks further still. */
import { vi } from 'vitest';

vi.stubEnv('ROLL_UPS', process.env['ROLL_UPS'] ?? '120');
await import('./roll-up.test.ts');
