/** crash-table.test.ts with more requests of each operation. */
import { vi } from 'vitest';

vi.stubEnv('RUNS', 'many');
await import('./crash-table.test.ts');
