export { MemoryBackend } from './memory-backend.ts';
export { type QueuedMessage, MemoryBroker, type MemoryBrokerOptions, type Received } from './memory-broker.ts';
export { MemoryCeleryGroups } from './memory-celery-groups.ts';
export { MemoryGroups } from './memory-groups.ts';
export { MemoryRates } from './memory-rates.ts';
export { MemoryRules } from './memory-rules.ts';
export { MemorySchedules } from './memory-schedules.ts';
export { MemorySlots } from './memory-slots.ts';
export { MemoryTimers } from './memory-timers.ts';
