/** Spans by `@opentelemetry/api`, without an SDK behind it. */
import { Celeriac } from 'celeriac';
import { openTelemetry } from 'celeriac/opentelemetry';

export const app = new Celeriac('blog', { telemetry: openTelemetry() });
export const check = app.task('comments.check', (comment: { id: string }) => comment.id);
