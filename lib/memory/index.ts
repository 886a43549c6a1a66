export { MemoryBackend } from './memory-backend.ts';
export { MemoryBroker, type MemoryBrokerOptions, type Received } from './memory-broker.ts';
export { MemoryTimers } from './memory-timers.ts';
