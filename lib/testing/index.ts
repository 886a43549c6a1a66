export { ManualClock } from './manual-clock.ts';
export { countingIds, seededRandom } from './seeded.ts';
export { World, type WorldOptions } from './world.ts';
