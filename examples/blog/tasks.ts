/** The tasks of a blog: comments are checked for spam, published or held back, and people are told. */
import { Celeriac, crontab, currentTask, every, Reject } from 'celeriac';

export class SpamServiceDown extends Error {
  override readonly name = 'SpamServiceDown';
}

export const app = new Celeriac('blog', {
  queues: { default: {}, mail: { concurrency: 10 } },
  routes: { 'mail.*': 'mail' },
  resultExpires: '7d',
});

export interface Comment {
  readonly id: string;
  readonly author: string;
  readonly text: string;
}

export type Verdict = { readonly comment: string; readonly spam: boolean; readonly score: number };

const SPAM_WORDS = ['casino', 'viagra', 'winner', 'free money'];

/** Stands for a spam service that is down at the first question about a comment. */
export const spamService = {
  asked: new Map<string, number>(),
  score(comment: Comment): number {
    const asked = (this.asked.get(comment.id) ?? 0) + 1;
    this.asked.set(comment.id, asked);
    if (comment.text.includes('(flaky)') && asked < 3) throw new SpamServiceDown('the spam service answered 503');
    const text = comment.text.toLowerCase();
    return SPAM_WORDS.filter((word) => text.includes(word)).length / SPAM_WORDS.length;
  },
};

/** Retried by itself, with growing waits, while the service is down. */
export const checkComment = app.task(
  'comments.check',
  { bind: true, autoretryFor: [SpamServiceDown], retryBackoff: true, retryJitter: false, maxRetries: 5, timeLimit: 20 },
  (self, comment: Comment): Verdict => {
    if (comment.text.trim() === '') throw new Reject('the comment is empty');
    const score = spamService.score(comment);
    self.logger.info('scored', { score });
    return { comment: comment.id, spam: score > 0, score };
  },
);

/** Called with the verdict, by a link. */
export const publishComment = app.task('comments.publish', (verdict: Verdict): string =>
  verdict.spam ? `held back ${verdict.comment}` : `published ${verdict.comment}`,
);

export const sendWelcome = app.task(
  'mail.welcome',
  { ignoreResult: false },
  (address: string): string => `sent to ${address}`,
);

export const publishPost = app.task(
  'posts.publish',
  { trackStarted: true },
  (post: string): string => `published ${post}`,
);

export const heartbeat = app.task('blog.heartbeat', { ignoreResult: true }, (): string => 'alive');

/** Says which tick it ran for: the same one never runs twice. */
export const publishDrafts = app.task(
  'posts.publish-drafts',
  (): string => `drafts of ${currentTask()?.request.schedule?.scheduledTime.toISOString() ?? 'nobody'}`,
);

export const weeklyReport = app.task('mail.weekly-report', (): string => 'report sent');

app.beat({
  // Swept, to the second: EventBridge knows minutes at least.
  heartbeat: { task: heartbeat.s(), schedule: every('10s'), options: { expires: 10 } },
  // An EventBridge rule that sends to the queue by itself.
  'publish-drafts': { task: publishDrafts.s(), schedule: crontab({ minute: '*' }) },
  // Swept: rules know no time zones.
  'weekly-report': {
    task: weeklyReport.s(),
    schedule: crontab({ minute: 30, hour: 7, dayOfWeek: 'mon' }, { timezone: 'America/New_York' }),
  },
});
