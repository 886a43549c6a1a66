export { MemoryBackend } from './memory-backend.ts';
export { type Letter, MemoryBroker, type MemoryBrokerOptions, type Received } from './memory-broker.ts';
export { MemoryTimers } from './memory-timers.ts';
