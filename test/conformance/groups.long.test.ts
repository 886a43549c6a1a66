/** groups.test.ts with more histories. */
import { vi } from 'vitest';

vi.stubEnv('RUNS', 'many');
await import('./groups.test.ts');
