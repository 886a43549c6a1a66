export { backendConformance } from './conformance/backend.ts';
export { brokerConformance, type BrokerUnderTest } from './conformance/broker.ts';
export type { ConformanceCase } from './conformance/case.ts';
export { groupsConformance } from './conformance/groups.ts';
export { schedulesConformance } from './conformance/schedules.ts';
export { timersConformance } from './conformance/timers.ts';
export { ManualClock } from './manual-clock.ts';
export { countingIds, seededRandom } from './seeded.ts';
export { World, type WorldOptions } from './world.ts';
