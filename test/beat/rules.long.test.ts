/** What EventBridge's rules fire and send, with many more runs than in the files themselves. */
import { vi } from 'vitest';

vi.stubEnv('RUNS', 'many');
await import('./emission.test.ts');
await import('./rule-message.test.ts');
