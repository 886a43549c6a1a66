/** What `celeriac` exports of group results; a constant of its own for the reason that `public-schedules.ts` gives. */
import { GroupResult as Whole } from '../results/group-result.ts';

/** The results of a group: what `group(...).delay()` and `app.groupResult(id)` give. */
export const GroupResult: typeof Whole = Whole;
/** The results of a group, with the type of each member's. */
export type GroupResult<R extends readonly unknown[] = readonly unknown[]> = Whole<R>;
