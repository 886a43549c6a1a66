/** An API handler: it enqueues by name, so no task code is in its bundle. */
import { enqueue, signature } from 'celeriac';

import type { checkComment, Comment, sendWelcome } from './tasks.ts';

export interface ApiEvent {
  readonly body?: string | null;
}

export interface ApiResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** POST /comments: answers at once; the check runs on a worker. */
export const handler = async (event: ApiEvent): Promise<ApiResponse> => {
  const comment = readComment(event.body);
  if (comment === undefined) return answer(400, { error: 'send { "id", "author", "text" }' });
  const check = await enqueue<typeof checkComment>('comments.check', [comment], {
    link: signature('comments.publish'),
    expires: '1h',
  });
  await enqueue<typeof sendWelcome>('mail.welcome', [`${comment.author}@example.com`], { countdown: 3 });
  return answer(202, { task: check.id });
};

function readComment(body: string | null | undefined): Comment | undefined {
  try {
    const data = JSON.parse(body ?? '') as Partial<Comment>;
    if (typeof data.id !== 'string' || typeof data.author !== 'string' || typeof data.text !== 'string')
      return undefined;
    return { id: data.id, author: data.author, text: data.text };
  } catch {
    return undefined;
  }
}

function answer(statusCode: number, body: unknown): ApiResponse {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
