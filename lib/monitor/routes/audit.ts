/** Who changed what. */
import * as v from 'valibot';

import type { AuditEntry } from '../../ports/audit.ts';
import type { AuditView } from '../answers.ts';
import { Refused } from '../problem.ts';
import { read, type Route } from '../route.ts';
import { integerText, NAME } from '../schemas/common.ts';
import { AUDIT } from '../schemas/queues.ts';

const SHOWN = 50;
const MOST = 200;

export const AUDIT_ROUTES: readonly Route[] = [
  read('/api/audit', {
    summary: 'Who changed what, the newest first',
    query: v.strictObject({ limit: v.optional(integerText(1, MOST)), cursor: v.optional(NAME) }),
    answer: AUDIT,
    run: async ({ service, query }) => {
      const { limit = SHOWN, cursor } = query;
      const after = cursor === undefined ? undefined : positionIn(cursor);
      const nowMs = service.app.clock.nowMs();
      const entries = await service.audit.list({ limit, nowMs, ...(after === undefined ? {} : { after }) });
      const last = entries.at(-1);
      return {
        entries: entries.map(viewOf),
        cursor: last === undefined || entries.length < limit ? null : `${last.atMs}.${last.id}`,
      };
    },
  }),
];

function viewOf({ id, atMs, by, action, on, count, note, outcome, error }: AuditEntry): AuditView {
  return {
    id,
    at: new Date(atMs).toISOString(),
    by,
    action,
    on,
    count: count ?? null,
    note: note ?? null,
    outcome,
    error: error ?? null,
  };
}

/** @throws Refused */
function positionIn(cursor: string): { readonly atMs: number; readonly id: string } {
  const [, at, id] = /^(\d{1,13})\.([\w-]{1,100})$/.exec(cursor) ?? [];
  if (at !== undefined && id !== undefined) return { atMs: Number(at), id };
  throw new Refused({
    status: 400,
    code: 'INVALID_REQUEST',
    title: 'The request does not fit.',
    detail: 'query.cursor: the cursor of an earlier page is allowed.',
  });
}
