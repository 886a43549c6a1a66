/** What the API answers: the types that the page works with. Instants are ISO 8601 text. */
import type { HeldLock } from '../flow/lock-book.ts';
import type { TaskEnd } from '../history/end-view.ts';
import type { Percentiles, StatsCounts } from '../history/stats.ts';
import type { TaskStory } from '../history/story.ts';
import type { LetterGroup } from '../operate/group-letters.ts';
import type { DeadLetter } from '../operate/letter.ts';
import type { RedriveReport } from '../operate/letter-report.ts';
import type { PurgedQueue } from '../operate/purge.ts';
import type { QueueDetail, QueueDetails } from '../operate/queue-details.ts';
import type { RegisteredTask } from '../operate/registered.ts';
import type { ScheduledTask } from '../operate/scheduled.ts';
import type { QueueCounts } from '../ports/dead-letters.ts';
import type { SlotsView } from '../app/slot-book.ts';
import type { Schedule } from '../schedules/schedule.ts';
import type { LoginWay } from './access.ts';
import type { Json } from './json.ts';
import type { Role } from './route.ts';

/** GET /api/session: whoever asks, logged in or not. */
export interface SessionAnswer {
  /** Name of the app. */
  readonly app: string;
  /** How the service was found: of those who are logged in. */
  readonly place?: string;
  /** Who is logged in; null for nobody. */
  readonly user: { readonly name: string; readonly role: Role } | null;
  /** Sent as `x-celeriac-csrf` with every change; absent where none is asked for. */
  readonly csrf?: string;
  /** How one logs in. */
  readonly login: readonly LoginWay[];
  /** Nobody may act. */
  readonly readOnly: boolean;
  /** Results are shown whole. */
  readonly showValues: boolean;
  /** The app's own module was loaded: the catalogue knows options and schemas. */
  readonly hasCode: boolean;
  /** How news come: GET /api/live as server-sent events, or by asking again. */
  readonly live: 'stream' | 'poll';
}

/** Counts of a time. */
export type CountsView = Json<StatsCounts>;
export type PercentilesView = Percentiles;

/** Something that needs a look. */
export interface ProblemView {
  readonly kind: 'failing' | 'lost' | 'dead-letters' | 'missed' | 'behind' | 'stuck' | 'not-fed' | 'paused';
  /** Name of the task, queue or schedule. */
  readonly subject: string;
  /** In one sentence. */
  readonly text: string;
  /** The number that says how bad it is, and what it was in the time before; null where that is not known. */
  readonly now: number;
  readonly usual: number | null;
  /** What these numbers are. */
  readonly unit: 'share' | 'messages' | 'seconds' | 'ticks' | 'runs';
  /** Since when; null where that is not known. */
  readonly since: string | null;
}

/** GET /api/overview */
export interface OverviewAnswer {
  readonly range: '1h' | '6h' | '1d' | '7d';
  readonly every: 'minute' | 'hour';
  /** The worst first; empty: nothing needs a look. */
  readonly problems: readonly ProblemView[];
  /** Of the range, and of as long a time before it; null where that is not known. */
  readonly total: CountsView;
  readonly before: CountsView | null;
  /** When this was counted: a minute or hour that is not over then is counted so far. */
  readonly until: string;
  /** In order, the newest 50 of the range: a sweep found other code than the one before it, within a minute of its deployment. */
  readonly deploys: readonly { readonly at: string; readonly version: string }[];
  /** In order, each minute or hour of the range. */
  readonly buckets: readonly (CountsView & { readonly start: string })[];
  /** By task: those with failures first. */
  readonly tasks: readonly (CountsView & { readonly task: string })[];
  readonly queues: readonly Json<QueueDetail>[];
}

/** GET /api/tasks */
export interface TasksAnswer {
  readonly entries: readonly Json<TaskEnd>[];
  readonly cursor: string | null;
  readonly readBackTo: string;
}

/** GET /api/tasks/counts */
export type TaskCountsAnswer = Pick<OverviewAnswer, 'range' | 'total'>;

/** GET /api/tasks/waiting */
export interface WaitingAnswer {
  readonly tasks: readonly Json<ScheduledTask>[];
  readonly more: boolean;
}

/** GET /api/tasks/running */
export interface RunningAnswer {
  /** Those that hold a slot for which others wait: of the others nobody can tell without looking at each task. */
  readonly tasks: readonly RunningTask[];
  readonly more: boolean;
}
export interface RunningTask {
  readonly id: string;
  readonly retries: number;
  /** `*`: the slot is shared by tasks. */
  readonly task: string;
  readonly key: string;
  /** Until when its slot is its own. */
  readonly until: string;
  /** How many wait for this key. */
  readonly waiting: number;
}

/** GET /api/tasks/{id} */
export interface TaskAnswer {
  readonly id: string;
  /** PENDING also where nothing is known of it. */
  readonly state: string;
  /** False: nothing is stored of it. */
  readonly isKnown: boolean;
  readonly name: string | null;
  readonly queue: string | null;
  readonly retries: number | null;
  readonly started: string | null;
  readonly finished: string | null;
  readonly revoked: string | null;
  /** The beginning of its result as JSON; null where readers may not see one, or there is none. */
  readonly resultText: string | null;
  /** Whether `resultText` is all of it. */
  readonly isResultWhole: boolean;
  readonly error: { readonly type: string; readonly message: string } | null;
  readonly traceback: string | null;
  /** Its result is kept from readers (`ignoreResult`). */
  readonly ignored: boolean;
  /** Its attempts, as the history has them; null where it has none. */
  readonly story: Json<TaskStory> | null;
  /** Why it does not run, or where it runs; null once it has ended. */
  readonly explain: ExplainView | null;
}

/** GET /api/tasks/{id}/explain, and beside a task that has not ended. */
export interface ExplainView {
  /** In one sentence. */
  readonly text: string;
  /** `quiet`: it waits as it should. */
  readonly tone: 'quiet' | 'work' | 'ok' | 'warn' | 'bad';
  /** What it is about. */
  readonly lines: readonly string[];
  /** What can be done, as commands say it. */
  readonly hints: readonly string[];
  /** The same as data, what counts most first: `kind` and its fields, as `app.explain()` tells them. */
  readonly reasons: readonly (Readonly<Record<string, unknown>> & { readonly kind: string })[];
}

/** GET /api/tasks/{id}/tree */
export interface TreeAnswer {
  readonly parent: RelativeView | null;
  readonly self: RelativeView;
  /** At most 100. */
  readonly children: readonly RelativeView[];
  readonly more: boolean;
}
export interface RelativeView {
  readonly id: string;
  readonly name: string | null;
  readonly state: string;
  readonly finished: string | null;
}

/** Of a task that was sent. */
export interface SentAnswer {
  readonly id: string;
  /** Nothing was sent: this task stands for the call. */
  readonly duplicate: boolean;
}

/** POST /api/tasks/revoke */
export interface RevokedAnswer {
  /** In the order of the ids. */
  readonly states: readonly string[];
}

/** GET /api/queues */
export interface QueuesAnswer {
  readonly queues: readonly QueueView[];
  /** What nobody told, and why: whoever may not ask for one thing is shown the others. */
  readonly unknown: QueueDetails['unknown'];
  /** More keys have tasks that wait for a slot than were counted. */
  readonly parkedMore: boolean;
}
export type QueueView = Json<QueueDetail> & {
  /** Tasks that go there. */
  readonly tasks: number;
};

/** POST /api/queues/{queue}/pause */
export interface PausedAnswer {
  readonly queue: string;
  readonly since: string;
  readonly by: string;
  readonly why: string | null;
  readonly eventSource: 'off' | 'changing' | 'none';
  /** SQS deletes a message so long after it was sent, paused or not; null where that is not known. */
  readonly keptSeconds: number | null;
}

/** POST /api/queues/{queue}/purge: the queue, and its lanes. */
export interface PurgedAnswer {
  readonly queues: readonly PurgedQueueView[];
}
export type PurgedQueueView = PurgedQueue & {
  /** False: SQS purges once a minute, and it was purged in the last one; or it was only counted. */
  readonly purged: boolean;
};

/** POST /api/queues/{queue}/resume */
export interface ResumedAnswer {
  readonly queue: string;
  /** False: it was not paused. */
  readonly wasPaused: boolean;
}

/** GET /api/dead-letters */
export interface DeadLettersAnswer {
  readonly groups: readonly Json<LetterGroup>[];
  /** The newest 200. */
  readonly letters: readonly Json<DeadLetter>[];
  readonly complete: boolean;
  readonly counts: Readonly<Record<string, QueueCounts>>;
}

/** GET /api/dead-letters/{id} */
export interface OpenedLettersAnswer {
  readonly letters: readonly OpenedLetterView[];
}
export type OpenedLetterView = Json<DeadLetter> & {
  /** Absent where the message cannot be read, and where values are not shown. */
  readonly args?: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
};

/** POST /api/dead-letters/redrive and /api/dead-letters/drop */
export type LettersReport = Json<RedriveReport>;

/** GET /api/locks */
export interface LocksAnswer {
  readonly locks: readonly Json<HeldLock>[];
  readonly more: boolean;
}

/** POST /api/locks/free */
export interface FreedAnswer {
  /** Who had it; null where nobody did. */
  readonly lock: Json<HeldLock> | null;
}

/** GET /api/slots */
export type SlotsAnswer = Omit<Json<SlotsView>, 'limit'> & { readonly limit: number | null };

/** GET /api/catalogue */
export interface CatalogueAnswer {
  readonly tasks: readonly CatalogueTask[];
  /** False: names alone are known, since the app's module was not loaded. */
  readonly hasCode: boolean;
}
export type CatalogueTask = Json<RegisteredTask> & {
  /** What an operator has said in its place: `'0'` for none. Absent where what is declared holds. */
  readonly rateLimitNow?: string;
  /** Whether a call may find that another task stands for it. */
  readonly marked: boolean;
  /** JSON Schema of its arguments, where its schema library can tell. */
  readonly schema?: unknown;
};

/** POST /api/rates */
export interface RateAnswer {
  /** Celery's words. */
  readonly text: string;
}

/** GET /api/audit */
export interface AuditAnswer {
  readonly entries: readonly AuditView[];
  /** Gives the next page; null where there is none. */
  readonly cursor: string | null;
}
export interface AuditView {
  readonly id: string;
  readonly at: string;
  readonly by: string;
  readonly action: string;
  readonly on: readonly string[];
  readonly count: number | null;
  readonly note: string | null;
  readonly outcome: 'begun' | 'done' | 'failed';
  readonly error: string | null;
}

/** GET /api/schedules */
export interface SchedulesAnswer {
  readonly entries: readonly ScheduleView[];
  /** Of all that `search` and the filters leave. */
  readonly totals: {
    readonly all: number;
    readonly enabled: number;
    readonly disabled: number;
    readonly missed: number;
    readonly declared: number;
  };
  /** Where the next page begins; null where there is none. */
  readonly next: number | null;
}

/** An entry whose fields PUT takes back as they are. */
export interface ScheduleView {
  readonly name: string;
  /** Name of its task. */
  readonly task: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** Of each tick, in camelCase: `queue`, `expires`, `priority` and so on; what the API cannot change is left out. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly schedule: Schedule;
  /** The schedule as Celery says it. */
  readonly scheduleText: string;
  readonly enabled: boolean;
  readonly oneOff: boolean;
  readonly startTime: string | null;
  readonly expires: string | null;
  readonly catchUp: 'one' | 'all';
  readonly startingDeadline: number | null;
  readonly customTask: boolean;
  readonly description: string;
  readonly source: 'code' | 'stored';
  readonly firedBy: 'rule' | 'sweep';
  /** Why it is swept; null where only the app's code says. */
  readonly reason: string | null;
  readonly version: number;
  readonly changedAt: string;
  readonly lastRunAt: string | null;
  readonly totalRunCount: number | null;
  /** The next five. */
  readonly nextTicks: readonly string[];
  readonly lastError: string | null;
  /** A tick that did not come, as the overview tells of it; null: none that is known. Nobody tells what rules fire. */
  readonly missed: { readonly text: string; readonly since: string | null } | null;
  /** The last run that is known: of a rule with a crontab as its times say. State PENDING: nothing is kept of it. */
  readonly lastRun: { readonly id: string; readonly state: string; readonly at: string } | null;
  readonly changedBy: string | null;
  /** Of a declared entry: what an operator has said, over its code; null where the code decides. */
  readonly choice: boolean | null;
}

/** GET /api/schedules/{name}/runs */
export interface RunsAnswer extends TasksAnswer {
  /** On the first page those that have not ended, as far as they are known: the last tick, and what was sent by hand here lately. */
  readonly begun: readonly BegunRun[];
}
export interface BegunRun {
  readonly id: string;
  /** PENDING also while it waits in its queue. */
  readonly state: string;
  readonly sentAt: string;
  /** Who sent it by hand; null for a tick. */
  readonly by: string | null;
}

/** DELETE /api/schedules/{name} */
export interface DoneAnswer {
  readonly done: true;
}

/** POST /api/schedules/many */
export interface ManyAnswer {
  /** In the order of the names. */
  readonly results: readonly { readonly name: string; readonly ok: boolean; readonly error: string | null }[];
}
