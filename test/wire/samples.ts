/** Messages that Celery 5.6.3 with kombu 5.6.2 sent over SQS, and what each says. */
import type { Embed, Message } from '../../lib/wire/message.ts';

export const NO_LINKS: Embed = { callbacks: null, errbacks: null, chain: null, chord: null };

/** What a message has that says nothing else; `rootId` is its id. */
export const UNSAID: Omit<Message, 'id' | 'task' | 'args' | 'rootId'> = {
  kwargs: {},
  embed: NO_LINKS,
  retries: 0,
  etaMs: null,
  expiresMs: null,
  parentId: null,
  groupId: null,
  groupIndex: null,
  timeLimit: [null, null],
  ignoreResult: null,
  argsrepr: '',
  kwargsrepr: '',
  queue: '',
  priority: 0,
  shadow: null,
  origin: null,
  replyTo: null,
  replacedTaskNesting: 0,
  stampedHeaders: null,
  stamps: {},
  headers: {},
  properties: {},
  celeriac: {},
};

const REPLY_TO = '7a4e8168-a56d-368f-bd11-5aab229d38e6';

export interface WireSample {
  readonly name: string;
  /** SQS MessageBody. */
  readonly body: string;
  readonly message: Partial<Message> & Pick<Message, 'id' | 'task' | 'args'>;
}

/** What the sender of these said each time. */
const SENT = {
  task: 'proj.tasks.add',
  kwargsrepr: '{}',
  ignoreResult: false,
  queue: 'celery',
  origin: 'gen12150@host1',
  replyTo: REPLY_TO,
} as const;

export const WIRE_SAMPLES: readonly WireSample[] = [
  {
    name: 'add(2, 3)',
    body: 'eyJib2R5IjogIlcxc3lMQ0F6WFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nYm5Wc2JDd2dJbU5vYjNKa0lqb2diblZzYkgxZCIsICJjb250ZW50LWVuY29kaW5nIjogInV0Zi04IiwgImNvbnRlbnQtdHlwZSI6ICJhcHBsaWNhdGlvbi9qc29uIiwgImhlYWRlcnMiOiB7ImxhbmciOiAicHkiLCAidGFzayI6ICJwcm9qLnRhc2tzLmFkZCIsICJpZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDEiLCAic2hhZG93IjogbnVsbCwgImV0YSI6IG51bGwsICJleHBpcmVzIjogbnVsbCwgImdyb3VwIjogbnVsbCwgImdyb3VwX2luZGV4IjogbnVsbCwgInJldHJpZXMiOiAwLCAidGltZWxpbWl0IjogW251bGwsIG51bGxdLCAicm9vdF9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDEiLCAicGFyZW50X2lkIjogbnVsbCwgImFyZ3NyZXByIjogIigyLCAzKSIsICJrd2FyZ3NyZXByIjogInt9IiwgIm9yaWdpbiI6ICJnZW4xMjE1MEBob3N0MSIsICJpZ25vcmVfcmVzdWx0IjogZmFsc2UsICJyZXBsYWNlZF90YXNrX25lc3RpbmciOiAwLCAic3RhbXBlZF9oZWFkZXJzIjogbnVsbCwgInN0YW1wcyI6IHt9fSwgInByb3BlcnRpZXMiOiB7ImNvcnJlbGF0aW9uX2lkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMSIsICJyZXBseV90byI6ICI3YTRlODE2OC1hNTZkLTM2OGYtYmQxMS01YWFiMjI5ZDM4ZTYiLCAiZGVsaXZlcnlfbW9kZSI6IDIsICJkZWxpdmVyeV9pbmZvIjogeyJleGNoYW5nZSI6ICIiLCAicm91dGluZ19rZXkiOiAiY2VsZXJ5In0sICJwcmlvcml0eSI6IDAsICJib2R5X2VuY29kaW5nIjogImJhc2U2NCIsICJkZWxpdmVyeV90YWciOiAiYzUwM2Y3NzYtNjk0OC00NzRhLWI1YTctMDAwMDAwMDAwMDAwIn19',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000001',
      args: [2, 3],
      argsrepr: '(2, 3)',
    },
  },
  {
    name: 'eta, expires, priority and queue',
    body: 'eyJib2R5IjogIlcxc3lMQ0F6WFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nYm5Wc2JDd2dJbU5vYjNKa0lqb2diblZzYkgxZCIsICJjb250ZW50LWVuY29kaW5nIjogInV0Zi04IiwgImNvbnRlbnQtdHlwZSI6ICJhcHBsaWNhdGlvbi9qc29uIiwgImhlYWRlcnMiOiB7ImxhbmciOiAicHkiLCAidGFzayI6ICJwcm9qLnRhc2tzLmFkZCIsICJpZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDIiLCAic2hhZG93IjogbnVsbCwgImV0YSI6ICIyMDI2LTExLTIxVDAxOjM2OjM2LjU5MjA0NSswMDowMCIsICJleHBpcmVzIjogIjIwMjYtMTEtMjFUMDE6Mzg6MTYuNTkyMDQ1KzAwOjAwIiwgImdyb3VwIjogbnVsbCwgImdyb3VwX2luZGV4IjogbnVsbCwgInJldHJpZXMiOiAwLCAidGltZWxpbWl0IjogW251bGwsIG51bGxdLCAicm9vdF9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDIiLCAicGFyZW50X2lkIjogbnVsbCwgImFyZ3NyZXByIjogIigyLCAzKSIsICJrd2FyZ3NyZXByIjogInt9IiwgIm9yaWdpbiI6ICJnZW4xMjE1MEBob3N0MSIsICJpZ25vcmVfcmVzdWx0IjogZmFsc2UsICJyZXBsYWNlZF90YXNrX25lc3RpbmciOiAwLCAic3RhbXBlZF9oZWFkZXJzIjogbnVsbCwgInN0YW1wcyI6IHt9fSwgInByb3BlcnRpZXMiOiB7ImNvcnJlbGF0aW9uX2lkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMiIsICJyZXBseV90byI6ICI3YTRlODE2OC1hNTZkLTM2OGYtYmQxMS01YWFiMjI5ZDM4ZTYiLCAiZGVsaXZlcnlfbW9kZSI6IDIsICJleHBpcmF0aW9uIjogIjEyMDAwMCIsICJkZWxpdmVyeV9pbmZvIjogeyJleGNoYW5nZSI6ICIiLCAicm91dGluZ19rZXkiOiAiZW1haWxzLmhpZ2gifSwgInByaW9yaXR5IjogNSwgImJvZHlfZW5jb2RpbmciOiAiYmFzZTY0IiwgImRlbGl2ZXJ5X3RhZyI6ICJjNTAzZjc3Ni02OTQ4LTQ3NGEtYjVhNy0wMDAwMDAwMDAwMDAifX0=',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000002',
      args: [2, 3],
      argsrepr: '(2, 3)',
      etaMs: Date.parse('2026-11-21T01:36:36.592Z'),
      expiresMs: Date.parse('2026-11-21T01:38:16.592Z'),
      queue: 'emails.high',
      priority: 5,
    },
  },
  {
    name: 'links, headers, limits and a naive eta',
    body: 'eyJib2R5IjogIlcxc3hYU3dnZXlKNUlqb2dNbjBzSUhzaVkyRnNiR0poWTJ0eklqb2dXM3NpZEdGemF5STZJQ0p3Y205cUxuUmhjMnR6TG5oemRXMGlMQ0FpWVhKbmN5STZJRnRkTENBaWEzZGhjbWR6SWpvZ2UzMHNJQ0p2Y0hScGIyNXpJam9nZTMwc0lDSnpkV0owWVhOclgzUjVjR1VpT2lCdWRXeHNMQ0FpYVcxdGRYUmhZbXhsSWpvZ1ptRnNjMlY5WFN3Z0ltVnljbUpoWTJ0eklqb2dXM3NpZEdGemF5STZJQ0p3Y205cUxuUmhjMnR6TG05dVgyVnljaUlzSUNKaGNtZHpJam9nVzEwc0lDSnJkMkZ5WjNNaU9pQjdmU3dnSW05d2RHbHZibk1pT2lCN2ZTd2dJbk4xWW5SaGMydGZkSGx3WlNJNklHNTFiR3dzSUNKcGJXMTFkR0ZpYkdVaU9pQm1ZV3h6WlgxZExDQWlZMmhoYVc0aU9pQnVkV3hzTENBaVkyaHZjbVFpT2lCdWRXeHNmVjA9IiwgImNvbnRlbnQtZW5jb2RpbmciOiAidXRmLTgiLCAiY29udGVudC10eXBlIjogImFwcGxpY2F0aW9uL2pzb24iLCAiaGVhZGVycyI6IHsibGFuZyI6ICJweSIsICJ0YXNrIjogInByb2oudGFza3MuYWRkIiwgImlkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMyIsICJzaGFkb3ciOiAibmljZS1uYW1lIiwgImV0YSI6ICIyMDMwLTAxLTAyVDAzOjA0OjA1IiwgImV4cGlyZXMiOiBudWxsLCAiZ3JvdXAiOiBudWxsLCAiZ3JvdXBfaW5kZXgiOiBudWxsLCAicmV0cmllcyI6IDAsICJ0aW1lbGltaXQiOiBbNjAsIDUwXSwgInJvb3RfaWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAzIiwgInBhcmVudF9pZCI6IG51bGwsICJhcmdzcmVwciI6ICIoMSwpIiwgImt3YXJnc3JlcHIiOiAieyd5JzogMn0iLCAib3JpZ2luIjogImdlbjEyMTUwQGhvc3QxIiwgImlnbm9yZV9yZXN1bHQiOiB0cnVlLCAicmVwbGFjZWRfdGFza19uZXN0aW5nIjogMCwgInN0YW1wZWRfaGVhZGVycyI6IG51bGwsICJzdGFtcHMiOiB7fSwgIngtdHJhY2UiOiAiYWJjIn0sICJwcm9wZXJ0aWVzIjogeyJjb3JyZWxhdGlvbl9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDMiLCAicmVwbHlfdG8iOiAiN2E0ZTgxNjgtYTU2ZC0zNjhmLWJkMTEtNWFhYjIyOWQzOGU2IiwgImRlbGl2ZXJ5X21vZGUiOiAyLCAiZGVsaXZlcnlfaW5mbyI6IHsiZXhjaGFuZ2UiOiAiIiwgInJvdXRpbmdfa2V5IjogImNlbGVyeSJ9LCAicHJpb3JpdHkiOiAwLCAiYm9keV9lbmNvZGluZyI6ICJiYXNlNjQiLCAiZGVsaXZlcnlfdGFnIjogImM1MDNmNzc2LTY5NDgtNDc0YS1iNWE3LTAwMDAwMDAwMDAwMCJ9fQ==',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000003',
      args: [1],
      kwargs: { y: 2 },
      embed: {
        ...NO_LINKS,
        callbacks: [
          { task: 'proj.tasks.xsum', args: [], kwargs: {}, options: {}, subtask_type: null, immutable: false },
        ],
        errbacks: [
          { task: 'proj.tasks.on_err', args: [], kwargs: {}, options: {}, subtask_type: null, immutable: false },
        ],
      },
      ignoreResult: true,
      argsrepr: '(1,)',
      kwargsrepr: "{'y': 2}",
      shadow: 'nice-name',
      timeLimit: [60, 50],
      etaMs: Date.parse('2030-01-02T03:04:05Z'),
      headers: { 'x-trace': 'abc' },
    },
  },
  {
    name: 'chain, step 1',
    body: 'eyJib2R5IjogIlcxc3hMQ0F5WFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nVzNzaWRHRnpheUk2SUNKd2NtOXFMblJoYzJ0ekxtRmtaQ0lzSUNKaGNtZHpJam9nV3pSZExDQWlhM2RoY21keklqb2dlMzBzSUNKdmNIUnBiMjV6SWpvZ2V5SjBZWE5yWDJsa0lqb2dJakF3TURBd01EQXdMVEF3TURBdE5EQXdNQzA0TURBd0xUQXdNREF3TURBd01EQTBNeUlzSUNKeVpYQnNlVjkwYnlJNklDSTNZVFJsT0RFMk9DMWhOVFprTFRNMk9HWXRZbVF4TVMwMVlXRmlNakk1WkRNNFpUWWlmU3dnSW5OMVluUmhjMnRmZEhsd1pTSTZJRzUxYkd3c0lDSnBiVzExZEdGaWJHVWlPaUJtWVd4elpYMHNJSHNpZEdGemF5STZJQ0p3Y205cUxuUmhjMnR6TG1Ga1pDSXNJQ0poY21keklqb2dXek5kTENBaWEzZGhjbWR6SWpvZ2UzMHNJQ0p2Y0hScGIyNXpJam9nZXlKMFlYTnJYMmxrSWpvZ0lqQXdNREF3TURBd0xUQXdNREF0TkRBd01DMDRNREF3TFRBd01EQXdNREF3TURBME1pSXNJQ0p5WlhCc2VWOTBieUk2SUNJM1lUUmxPREUyT0MxaE5UWmtMVE0yT0dZdFltUXhNUzAxWVdGaU1qSTVaRE00WlRZaWZTd2dJbk4xWW5SaGMydGZkSGx3WlNJNklHNTFiR3dzSUNKcGJXMTFkR0ZpYkdVaU9pQm1ZV3h6WlgxZExDQWlZMmh2Y21RaU9pQnVkV3hzZlYwPSIsICJjb250ZW50LWVuY29kaW5nIjogInV0Zi04IiwgImNvbnRlbnQtdHlwZSI6ICJhcHBsaWNhdGlvbi9qc29uIiwgImhlYWRlcnMiOiB7ImxhbmciOiAicHkiLCAidGFzayI6ICJwcm9qLnRhc2tzLmFkZCIsICJpZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNDEiLCAic2hhZG93IjogbnVsbCwgImV0YSI6IG51bGwsICJleHBpcmVzIjogbnVsbCwgImdyb3VwIjogbnVsbCwgImdyb3VwX2luZGV4IjogbnVsbCwgInJldHJpZXMiOiAwLCAidGltZWxpbWl0IjogW251bGwsIG51bGxdLCAicm9vdF9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNDEiLCAicGFyZW50X2lkIjogbnVsbCwgImFyZ3NyZXByIjogIigxLCAyKSIsICJrd2FyZ3NyZXByIjogInt9IiwgIm9yaWdpbiI6ICJnZW4xMjE1MEBob3N0MSIsICJpZ25vcmVfcmVzdWx0IjogZmFsc2UsICJyZXBsYWNlZF90YXNrX25lc3RpbmciOiAwLCAic3RhbXBlZF9oZWFkZXJzIjogbnVsbCwgInN0YW1wcyI6IHt9fSwgInByb3BlcnRpZXMiOiB7ImNvcnJlbGF0aW9uX2lkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDA0MSIsICJyZXBseV90byI6ICI3YTRlODE2OC1hNTZkLTM2OGYtYmQxMS01YWFiMjI5ZDM4ZTYiLCAiZGVsaXZlcnlfbW9kZSI6IDIsICJkZWxpdmVyeV9pbmZvIjogeyJleGNoYW5nZSI6ICIiLCAicm91dGluZ19rZXkiOiAiY2VsZXJ5In0sICJwcmlvcml0eSI6IDAsICJib2R5X2VuY29kaW5nIjogImJhc2U2NCIsICJkZWxpdmVyeV90YWciOiAiYzUwM2Y3NzYtNjk0OC00NzRhLWI1YTctMDAwMDAwMDAwMDAwIn19',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000041',
      args: [1, 2],
      embed: {
        ...NO_LINKS,
        chain: [
          {
            task: 'proj.tasks.add',
            args: [4],
            kwargs: {},
            options: { task_id: '00000000-0000-4000-8000-000000000043', reply_to: REPLY_TO },
            subtask_type: null,
            immutable: false,
          },
          {
            task: 'proj.tasks.add',
            args: [3],
            kwargs: {},
            options: { task_id: '00000000-0000-4000-8000-000000000042', reply_to: REPLY_TO },
            subtask_type: null,
            immutable: false,
          },
        ],
      },
      argsrepr: '(1, 2)',
    },
  },
  {
    name: 'chain, step 2',
    body: 'eyJib2R5IjogIlcxc3pMQ0F6WFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nVzNzaWRHRnpheUk2SUNKd2NtOXFMblJoYzJ0ekxtRmtaQ0lzSUNKaGNtZHpJam9nV3pSZExDQWlhM2RoY21keklqb2dlMzBzSUNKdmNIUnBiMjV6SWpvZ2V5SjBZWE5yWDJsa0lqb2dJakF3TURBd01EQXdMVEF3TURBdE5EQXdNQzA0TURBd0xUQXdNREF3TURBd01EQTBNeUlzSUNKeVpYQnNlVjkwYnlJNklDSTNZVFJsT0RFMk9DMWhOVFprTFRNMk9HWXRZbVF4TVMwMVlXRmlNakk1WkRNNFpUWWlmU3dnSW5OMVluUmhjMnRmZEhsd1pTSTZJRzUxYkd3c0lDSnBiVzExZEdGaWJHVWlPaUJtWVd4elpYMWRMQ0FpWTJodmNtUWlPaUJ1ZFd4c2ZWMD0iLCAiY29udGVudC1lbmNvZGluZyI6ICJ1dGYtOCIsICJjb250ZW50LXR5cGUiOiAiYXBwbGljYXRpb24vanNvbiIsICJoZWFkZXJzIjogeyJsYW5nIjogInB5IiwgInRhc2siOiAicHJvai50YXNrcy5hZGQiLCAiaWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDQyIiwgInNoYWRvdyI6IG51bGwsICJldGEiOiBudWxsLCAiZXhwaXJlcyI6IG51bGwsICJncm91cCI6IG51bGwsICJncm91cF9pbmRleCI6IG51bGwsICJyZXRyaWVzIjogMCwgInRpbWVsaW1pdCI6IFtudWxsLCBudWxsXSwgInJvb3RfaWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDQxIiwgInBhcmVudF9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNDEiLCAiYXJnc3JlcHIiOiAiKDMsIDMpIiwgImt3YXJnc3JlcHIiOiAie30iLCAib3JpZ2luIjogImdlbjEyMTUwQGhvc3QxIiwgImlnbm9yZV9yZXN1bHQiOiBmYWxzZSwgInJlcGxhY2VkX3Rhc2tfbmVzdGluZyI6IDAsICJzdGFtcGVkX2hlYWRlcnMiOiBudWxsLCAic3RhbXBzIjoge319LCAicHJvcGVydGllcyI6IHsiY29ycmVsYXRpb25faWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDQyIiwgInJlcGx5X3RvIjogIjdhNGU4MTY4LWE1NmQtMzY4Zi1iZDExLTVhYWIyMjlkMzhlNiIsICJkZWxpdmVyeV9tb2RlIjogMiwgImRlbGl2ZXJ5X2luZm8iOiB7ImV4Y2hhbmdlIjogIiIsICJyb3V0aW5nX2tleSI6ICJjZWxlcnkifSwgInByaW9yaXR5IjogMCwgImJvZHlfZW5jb2RpbmciOiAiYmFzZTY0IiwgImRlbGl2ZXJ5X3RhZyI6ICJjNTAzZjc3Ni02OTQ4LTQ3NGEtYjVhNy0wMDAwMDAwMDAwMDAifX0=',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000042',
      args: [3, 3],
      embed: {
        ...NO_LINKS,
        chain: [
          {
            task: 'proj.tasks.add',
            args: [4],
            kwargs: {},
            options: { task_id: '00000000-0000-4000-8000-000000000043', reply_to: REPLY_TO },
            subtask_type: null,
            immutable: false,
          },
        ],
      },
      parentId: '00000000-0000-4000-8000-000000000041',
      argsrepr: '(3, 3)',
      rootId: '00000000-0000-4000-8000-000000000041',
    },
  },
  {
    name: 'chain, step 3',
    body: 'eyJib2R5IjogIlcxczJMQ0EwWFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nVzEwc0lDSmphRzl5WkNJNklHNTFiR3g5WFE9PSIsICJjb250ZW50LWVuY29kaW5nIjogInV0Zi04IiwgImNvbnRlbnQtdHlwZSI6ICJhcHBsaWNhdGlvbi9qc29uIiwgImhlYWRlcnMiOiB7ImxhbmciOiAicHkiLCAidGFzayI6ICJwcm9qLnRhc2tzLmFkZCIsICJpZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNDMiLCAic2hhZG93IjogbnVsbCwgImV0YSI6IG51bGwsICJleHBpcmVzIjogbnVsbCwgImdyb3VwIjogbnVsbCwgImdyb3VwX2luZGV4IjogbnVsbCwgInJldHJpZXMiOiAwLCAidGltZWxpbWl0IjogW251bGwsIG51bGxdLCAicm9vdF9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNDEiLCAicGFyZW50X2lkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDA0MiIsICJhcmdzcmVwciI6ICIoNiwgNCkiLCAia3dhcmdzcmVwciI6ICJ7fSIsICJvcmlnaW4iOiAiZ2VuMTIxNTBAaG9zdDEiLCAiaWdub3JlX3Jlc3VsdCI6IGZhbHNlLCAicmVwbGFjZWRfdGFza19uZXN0aW5nIjogMCwgInN0YW1wZWRfaGVhZGVycyI6IG51bGwsICJzdGFtcHMiOiB7fX0sICJwcm9wZXJ0aWVzIjogeyJjb3JyZWxhdGlvbl9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNDMiLCAicmVwbHlfdG8iOiAiN2E0ZTgxNjgtYTU2ZC0zNjhmLWJkMTEtNWFhYjIyOWQzOGU2IiwgImRlbGl2ZXJ5X21vZGUiOiAyLCAiZGVsaXZlcnlfaW5mbyI6IHsiZXhjaGFuZ2UiOiAiIiwgInJvdXRpbmdfa2V5IjogImNlbGVyeSJ9LCAicHJpb3JpdHkiOiAwLCAiYm9keV9lbmNvZGluZyI6ICJiYXNlNjQiLCAiZGVsaXZlcnlfdGFnIjogImM1MDNmNzc2LTY5NDgtNDc0YS1iNWE3LTAwMDAwMDAwMDAwMCJ9fQ==',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000043',
      args: [6, 4],
      embed: { ...NO_LINKS, chain: [] },
      parentId: '00000000-0000-4000-8000-000000000042',
      argsrepr: '(6, 4)',
      rootId: '00000000-0000-4000-8000-000000000041',
    },
  },
  {
    name: 'group, member 0',
    body: 'eyJib2R5IjogIlcxc3hMQ0F4WFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nYm5Wc2JDd2dJbU5vYjNKa0lqb2diblZzYkgxZCIsICJjb250ZW50LWVuY29kaW5nIjogInV0Zi04IiwgImNvbnRlbnQtdHlwZSI6ICJhcHBsaWNhdGlvbi9qc29uIiwgImhlYWRlcnMiOiB7ImxhbmciOiAicHkiLCAidGFzayI6ICJwcm9qLnRhc2tzLmFkZCIsICJpZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNTEiLCAic2hhZG93IjogbnVsbCwgImV0YSI6IG51bGwsICJleHBpcmVzIjogbnVsbCwgImdyb3VwIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDA1MCIsICJncm91cF9pbmRleCI6IDAsICJyZXRyaWVzIjogMCwgInRpbWVsaW1pdCI6IFtudWxsLCBudWxsXSwgInJvb3RfaWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDUxIiwgInBhcmVudF9pZCI6IG51bGwsICJhcmdzcmVwciI6ICIoMSwgMSkiLCAia3dhcmdzcmVwciI6ICJ7fSIsICJvcmlnaW4iOiAiZ2VuMTIxNTBAaG9zdDEiLCAiaWdub3JlX3Jlc3VsdCI6IGZhbHNlLCAicmVwbGFjZWRfdGFza19uZXN0aW5nIjogMCwgInN0YW1wZWRfaGVhZGVycyI6IG51bGwsICJzdGFtcHMiOiB7fX0sICJwcm9wZXJ0aWVzIjogeyJjb3JyZWxhdGlvbl9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNTEiLCAicmVwbHlfdG8iOiAiN2E0ZTgxNjgtYTU2ZC0zNjhmLWJkMTEtNWFhYjIyOWQzOGU2IiwgImRlbGl2ZXJ5X21vZGUiOiAyLCAiZGVsaXZlcnlfaW5mbyI6IHsiZXhjaGFuZ2UiOiAiIiwgInJvdXRpbmdfa2V5IjogImNlbGVyeSJ9LCAicHJpb3JpdHkiOiAwLCAiYm9keV9lbmNvZGluZyI6ICJiYXNlNjQiLCAiZGVsaXZlcnlfdGFnIjogImM1MDNmNzc2LTY5NDgtNDc0YS1iNWE3LTAwMDAwMDAwMDAwMCJ9fQ==',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000051',
      args: [1, 1],
      groupId: '00000000-0000-4000-8000-000000000050',
      groupIndex: 0,
      argsrepr: '(1, 1)',
    },
  },
  {
    name: 'group, member 1',
    body: 'eyJib2R5IjogIlcxc3lMQ0F5WFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nYm5Wc2JDd2dJbU5vYjNKa0lqb2diblZzYkgxZCIsICJjb250ZW50LWVuY29kaW5nIjogInV0Zi04IiwgImNvbnRlbnQtdHlwZSI6ICJhcHBsaWNhdGlvbi9qc29uIiwgImhlYWRlcnMiOiB7ImxhbmciOiAicHkiLCAidGFzayI6ICJwcm9qLnRhc2tzLmFkZCIsICJpZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNTIiLCAic2hhZG93IjogbnVsbCwgImV0YSI6IG51bGwsICJleHBpcmVzIjogbnVsbCwgImdyb3VwIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDA1MCIsICJncm91cF9pbmRleCI6IDEsICJyZXRyaWVzIjogMCwgInRpbWVsaW1pdCI6IFtudWxsLCBudWxsXSwgInJvb3RfaWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDUyIiwgInBhcmVudF9pZCI6IG51bGwsICJhcmdzcmVwciI6ICIoMiwgMikiLCAia3dhcmdzcmVwciI6ICJ7fSIsICJvcmlnaW4iOiAiZ2VuMTIxNTBAaG9zdDEiLCAiaWdub3JlX3Jlc3VsdCI6IGZhbHNlLCAicmVwbGFjZWRfdGFza19uZXN0aW5nIjogMCwgInN0YW1wZWRfaGVhZGVycyI6IG51bGwsICJzdGFtcHMiOiB7fX0sICJwcm9wZXJ0aWVzIjogeyJjb3JyZWxhdGlvbl9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNTIiLCAicmVwbHlfdG8iOiAiN2E0ZTgxNjgtYTU2ZC0zNjhmLWJkMTEtNWFhYjIyOWQzOGU2IiwgImRlbGl2ZXJ5X21vZGUiOiAyLCAiZGVsaXZlcnlfaW5mbyI6IHsiZXhjaGFuZ2UiOiAiIiwgInJvdXRpbmdfa2V5IjogImNlbGVyeSJ9LCAicHJpb3JpdHkiOiAwLCAiYm9keV9lbmNvZGluZyI6ICJiYXNlNjQiLCAiZGVsaXZlcnlfdGFnIjogImM1MDNmNzc2LTY5NDgtNDc0YS1iNWE3LTAwMDAwMDAwMDAwMCJ9fQ==',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000052',
      args: [2, 2],
      groupId: '00000000-0000-4000-8000-000000000050',
      groupIndex: 1,
      argsrepr: '(2, 2)',
    },
  },
  {
    name: 'chord, header 0',
    body: 'eyJib2R5IjogIlcxc3hMQ0F4WFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nYm5Wc2JDd2dJbU5vYjNKa0lqb2dleUowWVhOcklqb2dJbkJ5YjJvdWRHRnphM011ZUhOMWJTSXNJQ0poY21keklqb2dXMTBzSUNKcmQyRnlaM01pT2lCN2ZTd2dJbTl3ZEdsdmJuTWlPaUI3SW5SaGMydGZhV1FpT2lBaU1EQXdNREF3TURBdE1EQXdNQzAwTURBd0xUZ3dNREF0TURBd01EQXdNREF3TURZNUlpd2dJbkpsY0d4NVgzUnZJam9nSWpkaE5HVTRNVFk0TFdFMU5tUXRNelk0WmkxaVpERXhMVFZoWVdJeU1qbGtNemhsTmlJc0lDSm5jbTkxY0Y5cFpDSTZJQ0l3TURBd01EQXdNQzB3TURBd0xUUXdNREF0T0RBd01DMHdNREF3TURBd01EQXdOakFpZlN3Z0luTjFZblJoYzJ0ZmRIbHdaU0k2SUc1MWJHd3NJQ0pwYlcxMWRHRmliR1VpT2lCbVlXeHpaWDE5WFE9PSIsICJjb250ZW50LWVuY29kaW5nIjogInV0Zi04IiwgImNvbnRlbnQtdHlwZSI6ICJhcHBsaWNhdGlvbi9qc29uIiwgImhlYWRlcnMiOiB7ImxhbmciOiAicHkiLCAidGFzayI6ICJwcm9qLnRhc2tzLmFkZCIsICJpZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNjEiLCAic2hhZG93IjogbnVsbCwgImV0YSI6IG51bGwsICJleHBpcmVzIjogbnVsbCwgImdyb3VwIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDA2MCIsICJncm91cF9pbmRleCI6IDAsICJyZXRyaWVzIjogMCwgInRpbWVsaW1pdCI6IFtudWxsLCBudWxsXSwgInJvb3RfaWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDYxIiwgInBhcmVudF9pZCI6IG51bGwsICJhcmdzcmVwciI6ICIoMSwgMSkiLCAia3dhcmdzcmVwciI6ICJ7fSIsICJvcmlnaW4iOiAiZ2VuMTIxNTBAaG9zdDEiLCAiaWdub3JlX3Jlc3VsdCI6IGZhbHNlLCAicmVwbGFjZWRfdGFza19uZXN0aW5nIjogMCwgInN0YW1wZWRfaGVhZGVycyI6IG51bGwsICJzdGFtcHMiOiB7fX0sICJwcm9wZXJ0aWVzIjogeyJjb3JyZWxhdGlvbl9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNjEiLCAicmVwbHlfdG8iOiAiN2E0ZTgxNjgtYTU2ZC0zNjhmLWJkMTEtNWFhYjIyOWQzOGU2IiwgImRlbGl2ZXJ5X21vZGUiOiAyLCAiZGVsaXZlcnlfaW5mbyI6IHsiZXhjaGFuZ2UiOiAiIiwgInJvdXRpbmdfa2V5IjogImNlbGVyeSJ9LCAicHJpb3JpdHkiOiAwLCAiYm9keV9lbmNvZGluZyI6ICJiYXNlNjQiLCAiZGVsaXZlcnlfdGFnIjogImM1MDNmNzc2LTY5NDgtNDc0YS1iNWE3LTAwMDAwMDAwMDAwMCJ9fQ==',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000061',
      args: [1, 1],
      embed: {
        ...NO_LINKS,
        chord: {
          task: 'proj.tasks.xsum',
          args: [],
          kwargs: {},
          options: {
            task_id: '00000000-0000-4000-8000-000000000069',
            reply_to: REPLY_TO,
            group_id: '00000000-0000-4000-8000-000000000060',
          },
          subtask_type: null,
          immutable: false,
        },
      },
      groupId: '00000000-0000-4000-8000-000000000060',
      groupIndex: 0,
      argsrepr: '(1, 1)',
    },
  },
  {
    name: 'chord, header 1',
    body: 'eyJib2R5IjogIlcxc3lMQ0F5WFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nYm5Wc2JDd2dJbU5vYjNKa0lqb2dleUowWVhOcklqb2dJbkJ5YjJvdWRHRnphM011ZUhOMWJTSXNJQ0poY21keklqb2dXMTBzSUNKcmQyRnlaM01pT2lCN2ZTd2dJbTl3ZEdsdmJuTWlPaUI3SW5SaGMydGZhV1FpT2lBaU1EQXdNREF3TURBdE1EQXdNQzAwTURBd0xUZ3dNREF0TURBd01EQXdNREF3TURZNUlpd2dJbkpsY0d4NVgzUnZJam9nSWpkaE5HVTRNVFk0TFdFMU5tUXRNelk0WmkxaVpERXhMVFZoWVdJeU1qbGtNemhsTmlJc0lDSm5jbTkxY0Y5cFpDSTZJQ0l3TURBd01EQXdNQzB3TURBd0xUUXdNREF0T0RBd01DMHdNREF3TURBd01EQXdOakFpZlN3Z0luTjFZblJoYzJ0ZmRIbHdaU0k2SUc1MWJHd3NJQ0pwYlcxMWRHRmliR1VpT2lCbVlXeHpaWDE5WFE9PSIsICJjb250ZW50LWVuY29kaW5nIjogInV0Zi04IiwgImNvbnRlbnQtdHlwZSI6ICJhcHBsaWNhdGlvbi9qc29uIiwgImhlYWRlcnMiOiB7ImxhbmciOiAicHkiLCAidGFzayI6ICJwcm9qLnRhc2tzLmFkZCIsICJpZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNjIiLCAic2hhZG93IjogbnVsbCwgImV0YSI6IG51bGwsICJleHBpcmVzIjogbnVsbCwgImdyb3VwIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDA2MCIsICJncm91cF9pbmRleCI6IDEsICJyZXRyaWVzIjogMCwgInRpbWVsaW1pdCI6IFtudWxsLCBudWxsXSwgInJvb3RfaWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDYyIiwgInBhcmVudF9pZCI6IG51bGwsICJhcmdzcmVwciI6ICIoMiwgMikiLCAia3dhcmdzcmVwciI6ICJ7fSIsICJvcmlnaW4iOiAiZ2VuMTIxNTBAaG9zdDEiLCAiaWdub3JlX3Jlc3VsdCI6IGZhbHNlLCAicmVwbGFjZWRfdGFza19uZXN0aW5nIjogMCwgInN0YW1wZWRfaGVhZGVycyI6IG51bGwsICJzdGFtcHMiOiB7fX0sICJwcm9wZXJ0aWVzIjogeyJjb3JyZWxhdGlvbl9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNjIiLCAicmVwbHlfdG8iOiAiN2E0ZTgxNjgtYTU2ZC0zNjhmLWJkMTEtNWFhYjIyOWQzOGU2IiwgImRlbGl2ZXJ5X21vZGUiOiAyLCAiZGVsaXZlcnlfaW5mbyI6IHsiZXhjaGFuZ2UiOiAiIiwgInJvdXRpbmdfa2V5IjogImNlbGVyeSJ9LCAicHJpb3JpdHkiOiAwLCAiYm9keV9lbmNvZGluZyI6ICJiYXNlNjQiLCAiZGVsaXZlcnlfdGFnIjogImM1MDNmNzc2LTY5NDgtNDc0YS1iNWE3LTAwMDAwMDAwMDAwMCJ9fQ==',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000062',
      args: [2, 2],
      embed: {
        ...NO_LINKS,
        chord: {
          task: 'proj.tasks.xsum',
          args: [],
          kwargs: {},
          options: {
            task_id: '00000000-0000-4000-8000-000000000069',
            reply_to: REPLY_TO,
            group_id: '00000000-0000-4000-8000-000000000060',
          },
          subtask_type: null,
          immutable: false,
        },
      },
      groupId: '00000000-0000-4000-8000-000000000060',
      groupIndex: 1,
      argsrepr: '(2, 2)',
    },
  },
  {
    name: 'chord, body',
    body: 'eyJib2R5IjogIlcxdGJNaXdnTkYxZExDQjdmU3dnZXlKallXeHNZbUZqYTNNaU9pQnVkV3hzTENBaVpYSnlZbUZqYTNNaU9pQnVkV3hzTENBaVkyaGhhVzRpT2lCdWRXeHNMQ0FpWTJodmNtUWlPaUJ1ZFd4c2ZWMD0iLCAiY29udGVudC1lbmNvZGluZyI6ICJ1dGYtOCIsICJjb250ZW50LXR5cGUiOiAiYXBwbGljYXRpb24vanNvbiIsICJoZWFkZXJzIjogeyJsYW5nIjogInB5IiwgInRhc2siOiAicHJvai50YXNrcy54c3VtIiwgImlkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDA2OSIsICJzaGFkb3ciOiBudWxsLCAiZXRhIjogbnVsbCwgImV4cGlyZXMiOiBudWxsLCAiZ3JvdXAiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDYwIiwgImdyb3VwX2luZGV4IjogbnVsbCwgInJldHJpZXMiOiAwLCAidGltZWxpbWl0IjogW251bGwsIG51bGxdLCAicm9vdF9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNjIiLCAicGFyZW50X2lkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDA2MiIsICJhcmdzcmVwciI6ICIoWzIsIDRdLCkiLCAia3dhcmdzcmVwciI6ICJ7fSIsICJvcmlnaW4iOiAiZ2VuMTIxNTBAaG9zdDEiLCAiaWdub3JlX3Jlc3VsdCI6IGZhbHNlLCAicmVwbGFjZWRfdGFza19uZXN0aW5nIjogMCwgInN0YW1wZWRfaGVhZGVycyI6IG51bGwsICJzdGFtcHMiOiB7fX0sICJwcm9wZXJ0aWVzIjogeyJjb3JyZWxhdGlvbl9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwNjkiLCAicmVwbHlfdG8iOiAiN2E0ZTgxNjgtYTU2ZC0zNjhmLWJkMTEtNWFhYjIyOWQzOGU2IiwgImRlbGl2ZXJ5X21vZGUiOiAyLCAiZGVsaXZlcnlfaW5mbyI6IHsiZXhjaGFuZ2UiOiAiIiwgInJvdXRpbmdfa2V5IjogImNlbGVyeSJ9LCAicHJpb3JpdHkiOiAwLCAiYm9keV9lbmNvZGluZyI6ICJiYXNlNjQiLCAiZGVsaXZlcnlfdGFnIjogImM1MDNmNzc2LTY5NDgtNDc0YS1iNWE3LTAwMDAwMDAwMDAwMCJ9fQ==',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000069',
      task: 'proj.tasks.xsum',
      args: [[2, 4]],
      parentId: '00000000-0000-4000-8000-000000000062',
      groupId: '00000000-0000-4000-8000-000000000060',
      argsrepr: '([2, 4],)',
      rootId: '00000000-0000-4000-8000-000000000062',
    },
  },
  {
    name: 'a chain that holds a chord',
    body: 'eyJib2R5IjogIlcxc3hMQ0F4WFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nVzNzaWRHRnpheUk2SUNKalpXeGxjbmt1WTJodmNtUWlMQ0FpWVhKbmN5STZJRnRkTENBaWEzZGhjbWR6SWpvZ2V5SnJkMkZ5WjNNaU9pQjdmU3dnSW1obFlXUmxjaUk2SUhzaWRHRnpheUk2SUNKalpXeGxjbmt1WjNKdmRYQWlMQ0FpWVhKbmN5STZJRnRkTENBaWEzZGhjbWR6SWpvZ2V5SjBZWE5yY3lJNklGdDdJblJoYzJzaU9pQWljSEp2YWk1MFlYTnJjeTVoWkdRaUxDQWlZWEpuY3lJNklGc3lYU3dnSW10M1lYSm5jeUk2SUh0OUxDQWliM0IwYVc5dWN5STZJSHNpZEdGemExOXBaQ0k2SUNJd01EQXdNREF3TUMwd01EQXdMVFF3TURBdE9EQXdNQzB3TURBd01EQXdNREF3TnpJaUxDQWljbVZ3YkhsZmRHOGlPaUFpTjJFMFpUZ3hOamd0WVRVMlpDMHpOamhtTFdKa01URXROV0ZoWWpJeU9XUXpPR1UySWl3Z0ltTm9iM0prSWpvZ2V5SjBZWE5ySWpvZ0luQnliMm91ZEdGemEzTXVlSE4xYlNJc0lDSmhjbWR6SWpvZ1cxMHNJQ0pyZDJGeVozTWlPaUI3ZlN3Z0ltOXdkR2x2Ym5NaU9pQjdJblJoYzJ0ZmFXUWlPaUFpTURBd01EQXdNREF0TURBd01DMDBNREF3TFRnd01EQXRNREF3TURBd01EQXdNRGM1SWl3Z0luSmxjR3g1WDNSdklqb2dJamRoTkdVNE1UWTRMV0UxTm1RdE16WTRaaTFpWkRFeExUVmhZV0l5TWpsa016aGxOaUo5TENBaWMzVmlkR0Z6YTE5MGVYQmxJam9nYm5Wc2JDd2dJbWx0YlhWMFlXSnNaU0k2SUdaaGJITmxmU3dnSW1keWIzVndYMmx1WkdWNElqb2dNSDBzSUNKemRXSjBZWE5yWDNSNWNHVWlPaUJ1ZFd4c0xDQWlhVzF0ZFhSaFlteGxJam9nWm1Gc2MyVjlMQ0I3SW5SaGMyc2lPaUFpY0hKdmFpNTBZWE5yY3k1aFpHUWlMQ0FpWVhKbmN5STZJRnN6WFN3Z0ltdDNZWEpuY3lJNklIdDlMQ0FpYjNCMGFXOXVjeUk2SUhzaWRHRnphMTlwWkNJNklDSXdNREF3TURBd01DMHdNREF3TFRRd01EQXRPREF3TUMwd01EQXdNREF3TURBd056TWlMQ0FpY21Wd2JIbGZkRzhpT2lBaU4yRTBaVGd4TmpndFlUVTJaQzB6TmpobUxXSmtNVEV0TldGaFlqSXlPV1F6T0dVMklpd2dJbU5vYjNKa0lqb2dleUowWVhOcklqb2dJbkJ5YjJvdWRHRnphM011ZUhOMWJTSXNJQ0poY21keklqb2dXMTBzSUNKcmQyRnlaM01pT2lCN2ZTd2dJbTl3ZEdsdmJuTWlPaUI3SW5SaGMydGZhV1FpT2lBaU1EQXdNREF3TURBdE1EQXdNQzAwTURBd0xUZ3dNREF0TURBd01EQXdNREF3TURjNUlpd2dJbkpsY0d4NVgzUnZJam9nSWpkaE5HVTRNVFk0TFdFMU5tUXRNelk0WmkxaVpERXhMVFZoWVdJeU1qbGtNemhsTmlKOUxDQWljM1ZpZEdGemExOTBlWEJsSWpvZ2JuVnNiQ3dnSW1sdGJYVjBZV0pzWlNJNklHWmhiSE5sZlN3Z0ltZHliM1Z3WDJsdVpHVjRJam9nTVgwc0lDSnpkV0owWVhOclgzUjVjR1VpT2lCdWRXeHNMQ0FpYVcxdGRYUmhZbXhsSWpvZ1ptRnNjMlY5WFgwc0lDSnZjSFJwYjI1eklqb2dleUowWVhOclgybGtJam9nSWpBd01EQXdNREF3TFRBd01EQXROREF3TUMwNE1EQXdMVEF3TURBd01EQXdNREEzTUNJc0lDSmphRzl5WkNJNklIc2lkR0Z6YXlJNklDSndjbTlxTG5SaGMydHpMbmh6ZFcwaUxDQWlZWEpuY3lJNklGdGRMQ0FpYTNkaGNtZHpJam9nZTMwc0lDSnZjSFJwYjI1eklqb2dleUowWVhOclgybGtJam9nSWpBd01EQXdNREF3TFRBd01EQXROREF3TUMwNE1EQXdMVEF3TURBd01EQXdNREEzT1NJc0lDSnlaWEJzZVY5MGJ5STZJQ0kzWVRSbE9ERTJPQzFoTlRaa0xUTTJPR1l0WW1ReE1TMDFZV0ZpTWpJNVpETTRaVFlpZlN3Z0luTjFZblJoYzJ0ZmRIbHdaU0k2SUc1MWJHd3NJQ0pwYlcxMWRHRmliR1VpT2lCbVlXeHpaWDBzSUNKeWIyOTBYMmxrSWpvZ2JuVnNiQ3dnSW5CaGNtVnVkRjlwWkNJNklHNTFiR3g5TENBaWMzVmlkR0Z6YTE5MGVYQmxJam9nSW1keWIzVndJaXdnSW1sdGJYVjBZV0pzWlNJNklHWmhiSE5sZlN3Z0ltSnZaSGtpT2lCN0luUmhjMnNpT2lBaWNISnZhaTUwWVhOcmN5NTRjM1Z0SWl3Z0ltRnlaM01pT2lCYlhTd2dJbXQzWVhKbmN5STZJSHQ5TENBaWIzQjBhVzl1Y3lJNklIc2lkR0Z6YTE5cFpDSTZJQ0l3TURBd01EQXdNQzB3TURBd0xUUXdNREF0T0RBd01DMHdNREF3TURBd01EQXdOemtpTENBaWNtVndiSGxmZEc4aU9pQWlOMkUwWlRneE5qZ3RZVFUyWkMwek5qaG1MV0prTVRFdE5XRmhZakl5T1dRek9HVTJJbjBzSUNKemRXSjBZWE5yWDNSNWNHVWlPaUJ1ZFd4c0xDQWlhVzF0ZFhSaFlteGxJam9nWm1Gc2MyVjlmU3dnSW05d2RHbHZibk1pT2lCN0luUmhjMnRmYVdRaU9pQWlNREF3TURBd01EQXRNREF3TUMwME1EQXdMVGd3TURBdE1EQXdNREF3TURBd01EY3dJbjBzSUNKemRXSjBZWE5yWDNSNWNHVWlPaUFpWTJodmNtUWlMQ0FpYVcxdGRYUmhZbXhsSWpvZ1ptRnNjMlY5WFN3Z0ltTm9iM0prSWpvZ2JuVnNiSDFkIiwgImNvbnRlbnQtZW5jb2RpbmciOiAidXRmLTgiLCAiY29udGVudC10eXBlIjogImFwcGxpY2F0aW9uL2pzb24iLCAiaGVhZGVycyI6IHsibGFuZyI6ICJweSIsICJ0YXNrIjogInByb2oudGFza3MuYWRkIiwgImlkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDA3MSIsICJzaGFkb3ciOiBudWxsLCAiZXRhIjogbnVsbCwgImV4cGlyZXMiOiBudWxsLCAiZ3JvdXAiOiBudWxsLCAiZ3JvdXBfaW5kZXgiOiBudWxsLCAicmV0cmllcyI6IDAsICJ0aW1lbGltaXQiOiBbbnVsbCwgbnVsbF0sICJyb290X2lkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDA3MSIsICJwYXJlbnRfaWQiOiBudWxsLCAiYXJnc3JlcHIiOiAiKDEsIDEpIiwgImt3YXJnc3JlcHIiOiAie30iLCAib3JpZ2luIjogImdlbjEyMTUwQGhvc3QxIiwgImlnbm9yZV9yZXN1bHQiOiBmYWxzZSwgInJlcGxhY2VkX3Rhc2tfbmVzdGluZyI6IDAsICJzdGFtcGVkX2hlYWRlcnMiOiBudWxsLCAic3RhbXBzIjoge319LCAicHJvcGVydGllcyI6IHsiY29ycmVsYXRpb25faWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDcxIiwgInJlcGx5X3RvIjogIjdhNGU4MTY4LWE1NmQtMzY4Zi1iZDExLTVhYWIyMjlkMzhlNiIsICJkZWxpdmVyeV9tb2RlIjogMiwgImRlbGl2ZXJ5X2luZm8iOiB7ImV4Y2hhbmdlIjogIiIsICJyb3V0aW5nX2tleSI6ICJjZWxlcnkifSwgInByaW9yaXR5IjogMCwgImJvZHlfZW5jb2RpbmciOiAiYmFzZTY0IiwgImRlbGl2ZXJ5X3RhZyI6ICJjNTAzZjc3Ni02OTQ4LTQ3NGEtYjVhNy0wMDAwMDAwMDAwMDAifX0=',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000071',
      args: [1, 1],
      embed: {
        ...NO_LINKS,
        chain: [
          {
            task: 'celery.chord',
            args: [],
            kwargs: {
              kwargs: {},
              header: {
                task: 'celery.group',
                args: [],
                kwargs: {
                  tasks: [
                    {
                      task: 'proj.tasks.add',
                      args: [2],
                      kwargs: {},
                      options: {
                        task_id: '00000000-0000-4000-8000-000000000072',
                        reply_to: REPLY_TO,
                        chord: {
                          task: 'proj.tasks.xsum',
                          args: [],
                          kwargs: {},
                          options: { task_id: '00000000-0000-4000-8000-000000000079', reply_to: REPLY_TO },
                          subtask_type: null,
                          immutable: false,
                        },
                        group_index: 0,
                      },
                      subtask_type: null,
                      immutable: false,
                    },
                    {
                      task: 'proj.tasks.add',
                      args: [3],
                      kwargs: {},
                      options: {
                        task_id: '00000000-0000-4000-8000-000000000073',
                        reply_to: REPLY_TO,
                        chord: {
                          task: 'proj.tasks.xsum',
                          args: [],
                          kwargs: {},
                          options: { task_id: '00000000-0000-4000-8000-000000000079', reply_to: REPLY_TO },
                          subtask_type: null,
                          immutable: false,
                        },
                        group_index: 1,
                      },
                      subtask_type: null,
                      immutable: false,
                    },
                  ],
                },
                options: {
                  task_id: '00000000-0000-4000-8000-000000000070',
                  chord: {
                    task: 'proj.tasks.xsum',
                    args: [],
                    kwargs: {},
                    options: { task_id: '00000000-0000-4000-8000-000000000079', reply_to: REPLY_TO },
                    subtask_type: null,
                    immutable: false,
                  },
                  root_id: null,
                  parent_id: null,
                },
                subtask_type: 'group',
                immutable: false,
              },
              body: {
                task: 'proj.tasks.xsum',
                args: [],
                kwargs: {},
                options: { task_id: '00000000-0000-4000-8000-000000000079', reply_to: REPLY_TO },
                subtask_type: null,
                immutable: false,
              },
            },
            options: { task_id: '00000000-0000-4000-8000-000000000070' },
            subtask_type: 'chord',
            immutable: false,
          },
        ],
      },
      argsrepr: '(1, 1)',
    },
  },
  {
    name: 'a chain that ends in a group',
    body: 'eyJib2R5IjogIlcxc3hMQ0F4WFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nVzNzaWRHRnpheUk2SUNKalpXeGxjbmt1WjNKdmRYQWlMQ0FpWVhKbmN5STZJRnRkTENBaWEzZGhjbWR6SWpvZ2V5SjBZWE5yY3lJNklGdDdJblJoYzJzaU9pQWljSEp2YWk1MFlYTnJjeTVoWkdRaUxDQWlZWEpuY3lJNklGc3lYU3dnSW10M1lYSm5jeUk2SUh0OUxDQWliM0IwYVc5dWN5STZJSHNpZEdGemExOXBaQ0k2SUNJd01EQXdNREF3TUMwd01EQXdMVFF3TURBdE9EQXdNQzB3TURBd01EQXdNREF3T0RJaUxDQWljbVZ3YkhsZmRHOGlPaUFpTjJFMFpUZ3hOamd0WVRVMlpDMHpOamhtTFdKa01URXROV0ZoWWpJeU9XUXpPR1UySWl3Z0ltZHliM1Z3WDJsdVpHVjRJam9nTUgwc0lDSnpkV0owWVhOclgzUjVjR1VpT2lCdWRXeHNMQ0FpYVcxdGRYUmhZbXhsSWpvZ1ptRnNjMlY5TENCN0luUmhjMnNpT2lBaWNISnZhaTUwWVhOcmN5NWhaR1FpTENBaVlYSm5jeUk2SUZzelhTd2dJbXQzWVhKbmN5STZJSHQ5TENBaWIzQjBhVzl1Y3lJNklIc2lkR0Z6YTE5cFpDSTZJQ0l3TURBd01EQXdNQzB3TURBd0xUUXdNREF0T0RBd01DMHdNREF3TURBd01EQXdPRE1pTENBaWNtVndiSGxmZEc4aU9pQWlOMkUwWlRneE5qZ3RZVFUyWkMwek5qaG1MV0prTVRFdE5XRmhZakl5T1dRek9HVTJJaXdnSW1keWIzVndYMmx1WkdWNElqb2dNWDBzSUNKemRXSjBZWE5yWDNSNWNHVWlPaUJ1ZFd4c0xDQWlhVzF0ZFhSaFlteGxJam9nWm1Gc2MyVjlYWDBzSUNKdmNIUnBiMjV6SWpvZ2V5SjBZWE5yWDJsa0lqb2dJakF3TURBd01EQXdMVEF3TURBdE5EQXdNQzA0TURBd0xUQXdNREF3TURBd01EQTRNQ0lzSUNKeWIyOTBYMmxrSWpvZ2JuVnNiQ3dnSW5CaGNtVnVkRjlwWkNJNklHNTFiR3g5TENBaWMzVmlkR0Z6YTE5MGVYQmxJam9nSW1keWIzVndJaXdnSW1sdGJYVjBZV0pzWlNJNklHWmhiSE5sZlYwc0lDSmphRzl5WkNJNklHNTFiR3g5WFE9PSIsICJjb250ZW50LWVuY29kaW5nIjogInV0Zi04IiwgImNvbnRlbnQtdHlwZSI6ICJhcHBsaWNhdGlvbi9qc29uIiwgImhlYWRlcnMiOiB7ImxhbmciOiAicHkiLCAidGFzayI6ICJwcm9qLnRhc2tzLmFkZCIsICJpZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwODEiLCAic2hhZG93IjogbnVsbCwgImV0YSI6IG51bGwsICJleHBpcmVzIjogbnVsbCwgImdyb3VwIjogbnVsbCwgImdyb3VwX2luZGV4IjogbnVsbCwgInJldHJpZXMiOiAwLCAidGltZWxpbWl0IjogW251bGwsIG51bGxdLCAicm9vdF9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwODEiLCAicGFyZW50X2lkIjogbnVsbCwgImFyZ3NyZXByIjogIigxLCAxKSIsICJrd2FyZ3NyZXByIjogInt9IiwgIm9yaWdpbiI6ICJnZW4xMjE1MEBob3N0MSIsICJpZ25vcmVfcmVzdWx0IjogZmFsc2UsICJyZXBsYWNlZF90YXNrX25lc3RpbmciOiAwLCAic3RhbXBlZF9oZWFkZXJzIjogbnVsbCwgInN0YW1wcyI6IHt9fSwgInByb3BlcnRpZXMiOiB7ImNvcnJlbGF0aW9uX2lkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDA4MSIsICJyZXBseV90byI6ICI3YTRlODE2OC1hNTZkLTM2OGYtYmQxMS01YWFiMjI5ZDM4ZTYiLCAiZGVsaXZlcnlfbW9kZSI6IDIsICJkZWxpdmVyeV9pbmZvIjogeyJleGNoYW5nZSI6ICIiLCAicm91dGluZ19rZXkiOiAiY2VsZXJ5In0sICJwcmlvcml0eSI6IDAsICJib2R5X2VuY29kaW5nIjogImJhc2U2NCIsICJkZWxpdmVyeV90YWciOiAiYzUwM2Y3NzYtNjk0OC00NzRhLWI1YTctMDAwMDAwMDAwMDAwIn19',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000081',
      args: [1, 1],
      embed: {
        ...NO_LINKS,
        chain: [
          {
            task: 'celery.group',
            args: [],
            kwargs: {
              tasks: [
                {
                  task: 'proj.tasks.add',
                  args: [2],
                  kwargs: {},
                  options: { task_id: '00000000-0000-4000-8000-000000000082', reply_to: REPLY_TO, group_index: 0 },
                  subtask_type: null,
                  immutable: false,
                },
                {
                  task: 'proj.tasks.add',
                  args: [3],
                  kwargs: {},
                  options: { task_id: '00000000-0000-4000-8000-000000000083', reply_to: REPLY_TO, group_index: 1 },
                  subtask_type: null,
                  immutable: false,
                },
              ],
            },
            options: { task_id: '00000000-0000-4000-8000-000000000080', root_id: null, parent_id: null },
            subtask_type: 'group',
            immutable: false,
          },
        ],
      },
      argsrepr: '(1, 1)',
    },
  },
  {
    name: 'a retry',
    body: 'eyJib2R5IjogIlcxc3lYU3dnZTMwc0lIc2lZMkZzYkdKaFkydHpJam9nYm5Wc2JDd2dJbVZ5Y21KaFkydHpJam9nYm5Wc2JDd2dJbU5vWVdsdUlqb2diblZzYkN3Z0ltTm9iM0prSWpvZ2JuVnNiSDFkIiwgImNvbnRlbnQtZW5jb2RpbmciOiAidXRmLTgiLCAiY29udGVudC10eXBlIjogImFwcGxpY2F0aW9uL2pzb24iLCAiaGVhZGVycyI6IHsibGFuZyI6ICJweSIsICJ0YXNrIjogInByb2oudGFza3MucmV0cnlpbmciLCAiaWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDA5IiwgInNoYWRvdyI6IG51bGwsICJldGEiOiAiMjAyNi0xMS0yMVQwMTo0MDo0Ni40NDA5MDUrMDA6MDAiLCAiZXhwaXJlcyI6IG51bGwsICJncm91cCI6IG51bGwsICJncm91cF9pbmRleCI6IG51bGwsICJyZXRyaWVzIjogMSwgInRpbWVsaW1pdCI6IFtudWxsLCBudWxsXSwgInJvb3RfaWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDA5IiwgInBhcmVudF9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDkiLCAiYXJnc3JlcHIiOiAiKDIsKSIsICJrd2FyZ3NyZXByIjogInt9IiwgIm9yaWdpbiI6ICJnZW4xMjE1MEBob3N0MSIsICJpZ25vcmVfcmVzdWx0IjogZmFsc2UsICJyZXBsYWNlZF90YXNrX25lc3RpbmciOiAwLCAic3RhbXBlZF9oZWFkZXJzIjogbnVsbCwgInN0YW1wcyI6IHt9fSwgInByb3BlcnRpZXMiOiB7ImNvcnJlbGF0aW9uX2lkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwOSIsICJyZXBseV90byI6ICI3YTRlODE2OC1hNTZkLTM2OGYtYmQxMS01YWFiMjI5ZDM4ZTYiLCAib3JpZ2luIjogImdlbjE1NDAwQGhvc3QxIiwgImRlbGl2ZXJ5X21vZGUiOiAyLCAiZGVsaXZlcnlfaW5mbyI6IHsiZXhjaGFuZ2UiOiAiIiwgInJvdXRpbmdfa2V5IjogImNlbGVyeSJ9LCAicHJpb3JpdHkiOiAwLCAiYm9keV9lbmNvZGluZyI6ICJiYXNlNjQiLCAiZGVsaXZlcnlfdGFnIjogImM1MDNmNzc2LTY5NDgtNDc0YS1iNWE3LTAwMDAwMDAwMDAwMCJ9fQ==',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000009',
      task: 'proj.tasks.retrying',
      args: [2],
      retries: 1,
      parentId: '00000000-0000-4000-8000-000000000009',
      argsrepr: '(2,)',
      etaMs: Date.parse('2026-11-21T01:40:46.440Z'),
      properties: { origin: 'gen15400@host1' },
    },
  },
  {
    name: 'stamps',
    body: 'eyJib2R5IjogIlcxc3hMQ0F5WFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nYm5Wc2JDd2dJbU5vYjNKa0lqb2diblZzYkgxZCIsICJjb250ZW50LWVuY29kaW5nIjogInV0Zi04IiwgImNvbnRlbnQtdHlwZSI6ICJhcHBsaWNhdGlvbi9qc29uIiwgImhlYWRlcnMiOiB7ImxhbmciOiAicHkiLCAidGFzayI6ICJwcm9qLnRhc2tzLmFkZCIsICJpZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMTAiLCAic2hhZG93IjogbnVsbCwgImV0YSI6IG51bGwsICJleHBpcmVzIjogbnVsbCwgImdyb3VwIjogbnVsbCwgImdyb3VwX2luZGV4IjogbnVsbCwgInJldHJpZXMiOiAwLCAidGltZWxpbWl0IjogW251bGwsIG51bGxdLCAicm9vdF9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMTAiLCAicGFyZW50X2lkIjogbnVsbCwgImFyZ3NyZXByIjogIigxLCAyKSIsICJrd2FyZ3NyZXByIjogInt9IiwgIm9yaWdpbiI6ICJnZW4xMjE1MEBob3N0MSIsICJpZ25vcmVfcmVzdWx0IjogZmFsc2UsICJyZXBsYWNlZF90YXNrX25lc3RpbmciOiAwLCAic3RhbXBlZF9oZWFkZXJzIjogWyJ0ZW5hbnQiLCAidXNlciJdLCAic3RhbXBzIjogeyJ0ZW5hbnQiOiBbImEiLCAiYiJdLCAidXNlciI6ICJ1MSJ9fSwgInByb3BlcnRpZXMiOiB7ImNvcnJlbGF0aW9uX2lkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAxMCIsICJyZXBseV90byI6ICI3YTRlODE2OC1hNTZkLTM2OGYtYmQxMS01YWFiMjI5ZDM4ZTYiLCAiZGVsaXZlcnlfbW9kZSI6IDIsICJkZWxpdmVyeV9pbmZvIjogeyJleGNoYW5nZSI6ICIiLCAicm91dGluZ19rZXkiOiAiY2VsZXJ5In0sICJwcmlvcml0eSI6IDAsICJib2R5X2VuY29kaW5nIjogImJhc2U2NCIsICJkZWxpdmVyeV90YWciOiAiYzUwM2Y3NzYtNjk0OC00NzRhLWI1YTctMDAwMDAwMDAwMDAwIn19',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000010',
      args: [1, 2],
      argsrepr: '(1, 2)',
      stampedHeaders: ['tenant', 'user'],
      stamps: { tenant: ['a', 'b'], user: 'u1' },
    },
  },
  {
    name: 'typed JSON values',
    body: 'eyJib2R5IjogIlcxdDdJbDlmZEhsd1pWOWZJam9nSW1SaGRHVjBhVzFsSWl3Z0lsOWZkbUZzZFdWZlh5STZJQ0l5TURJMkxUQXhMVEF5VkRBek9qQTBPakExTGpZM09EQXdNQ3N3TURvd01DSjlMQ0I3SWw5ZmRIbHdaVjlmSWpvZ0ltUmxZMmx0WVd3aUxDQWlYMTkyWVd4MVpWOWZJam9nSWpFdU1UQWlmU3dnZXlKZlgzUjVjR1ZmWHlJNklDSjFkV2xrSWl3Z0lsOWZkbUZzZFdWZlh5STZJSHNpYUdWNElqb2dJakF3TURBd01EQXdNREF3TURBd01EQXdNREF3TURBd01EQXdNREF3TURBMUluMTlMQ0I3SWw5ZmRIbHdaVjlmSWpvZ0ltUmhkR1VpTENBaVgxOTJZV3gxWlY5Zklqb2dJakl3TWpZdE1ERXRNRElpZlN3Z2V5SmZYM1I1Y0dWZlh5STZJQ0owYVcxbElpd2dJbDlmZG1Gc2RXVmZYeUk2SUNJd016b3dORG93TUNKOUxDQjdJbDlmZEhsd1pWOWZJam9nSW1KNWRHVnpJaXdnSWw5ZmRtRnNkV1ZmWHlJNklDSmhZbU1pZlN3Z2V5SmZYM1I1Y0dWZlh5STZJQ0ppWVhObE5qUWlMQ0FpWDE5MllXeDFaVjlmSWpvZ0lpOHZORDBpZlYwc0lIdDlMQ0I3SW1OaGJHeGlZV05yY3lJNklHNTFiR3dzSUNKbGNuSmlZV05yY3lJNklHNTFiR3dzSUNKamFHRnBiaUk2SUc1MWJHd3NJQ0pqYUc5eVpDSTZJRzUxYkd4OVhRPT0iLCAiY29udGVudC1lbmNvZGluZyI6ICJ1dGYtOCIsICJjb250ZW50LXR5cGUiOiAiYXBwbGljYXRpb24vanNvbiIsICJoZWFkZXJzIjogeyJsYW5nIjogInB5IiwgInRhc2siOiAicHJvai50YXNrcy5hZGQiLCAiaWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDExIiwgInNoYWRvdyI6IG51bGwsICJldGEiOiBudWxsLCAiZXhwaXJlcyI6IG51bGwsICJncm91cCI6IG51bGwsICJncm91cF9pbmRleCI6IG51bGwsICJyZXRyaWVzIjogMCwgInRpbWVsaW1pdCI6IFtudWxsLCBudWxsXSwgInJvb3RfaWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDExIiwgInBhcmVudF9pZCI6IG51bGwsICJhcmdzcmVwciI6ICIoZGF0ZXRpbWUuZGF0ZXRpbWUoMjAyNiwgMSwgMiwgLi4uKSwgLi4uKSIsICJrd2FyZ3NyZXByIjogInt9IiwgIm9yaWdpbiI6ICJnZW4xMjE1MEBob3N0MSIsICJpZ25vcmVfcmVzdWx0IjogZmFsc2UsICJyZXBsYWNlZF90YXNrX25lc3RpbmciOiAwLCAic3RhbXBlZF9oZWFkZXJzIjogbnVsbCwgInN0YW1wcyI6IHt9fSwgInByb3BlcnRpZXMiOiB7ImNvcnJlbGF0aW9uX2lkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAxMSIsICJyZXBseV90byI6ICI3YTRlODE2OC1hNTZkLTM2OGYtYmQxMS01YWFiMjI5ZDM4ZTYiLCAiZGVsaXZlcnlfbW9kZSI6IDIsICJkZWxpdmVyeV9pbmZvIjogeyJleGNoYW5nZSI6ICIiLCAicm91dGluZ19rZXkiOiAiY2VsZXJ5In0sICJwcmlvcml0eSI6IDAsICJib2R5X2VuY29kaW5nIjogImJhc2U2NCIsICJkZWxpdmVyeV90YWciOiAiYzUwM2Y3NzYtNjk0OC00NzRhLWI1YTctMDAwMDAwMDAwMDAwIn19',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000011',
      args: [
        new Date('2026-01-02T03:04:05.678Z'),
        '1.10',
        '00000000-0000-0000-0000-000000000005',
        '2026-01-02',
        '03:04:00',
        Uint8Array.of(97, 98, 99),
        Uint8Array.of(255, 254),
      ],
      argsrepr: '(datetime.datetime(2026, 1, 2, ...), ...)',
    },
  },
  {
    name: 'a FIFO group',
    body: 'eyJib2R5IjogIlcxc3hMQ0F5WFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nYm5Wc2JDd2dJbU5vYjNKa0lqb2diblZzYkgxZCIsICJjb250ZW50LWVuY29kaW5nIjogInV0Zi04IiwgImNvbnRlbnQtdHlwZSI6ICJhcHBsaWNhdGlvbi9qc29uIiwgImhlYWRlcnMiOiB7ImxhbmciOiAicHkiLCAidGFzayI6ICJwcm9qLnRhc2tzLmFkZCIsICJpZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMTIiLCAic2hhZG93IjogbnVsbCwgImV0YSI6IG51bGwsICJleHBpcmVzIjogbnVsbCwgImdyb3VwIjogbnVsbCwgImdyb3VwX2luZGV4IjogbnVsbCwgInJldHJpZXMiOiAwLCAidGltZWxpbWl0IjogW251bGwsIG51bGxdLCAicm9vdF9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMTIiLCAicGFyZW50X2lkIjogbnVsbCwgImFyZ3NyZXByIjogIigxLCAyKSIsICJrd2FyZ3NyZXByIjogInt9IiwgIm9yaWdpbiI6ICJnZW4xMjE1MEBob3N0MSIsICJpZ25vcmVfcmVzdWx0IjogZmFsc2UsICJyZXBsYWNlZF90YXNrX25lc3RpbmciOiAwLCAic3RhbXBlZF9oZWFkZXJzIjogbnVsbCwgInN0YW1wcyI6IHt9fSwgInByb3BlcnRpZXMiOiB7ImNvcnJlbGF0aW9uX2lkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAxMiIsICJyZXBseV90byI6ICI3YTRlODE2OC1hNTZkLTM2OGYtYmQxMS01YWFiMjI5ZDM4ZTYiLCAiTWVzc2FnZUdyb3VwSWQiOiAiZzEiLCAiZGVsaXZlcnlfbW9kZSI6IDIsICJkZWxpdmVyeV9pbmZvIjogeyJleGNoYW5nZSI6ICIiLCAicm91dGluZ19rZXkiOiAib3JkZXJzLmZpZm8ifSwgInByaW9yaXR5IjogMCwgImJvZHlfZW5jb2RpbmciOiAiYmFzZTY0IiwgImRlbGl2ZXJ5X3RhZyI6ICJjNTAzZjc3Ni02OTQ4LTQ3NGEtYjVhNy0wMDAwMDAwMDAwMDAifX0=',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000012',
      args: [1, 2],
      argsrepr: '(1, 2)',
      queue: 'orders.fifo',
      properties: { MessageGroupId: 'g1' },
    },
  },
  {
    name: 'DelaySeconds',
    body: 'eyJib2R5IjogIlcxc3hMQ0F5WFN3Z2UzMHNJSHNpWTJGc2JHSmhZMnR6SWpvZ2JuVnNiQ3dnSW1WeWNtSmhZMnR6SWpvZ2JuVnNiQ3dnSW1Ob1lXbHVJam9nYm5Wc2JDd2dJbU5vYjNKa0lqb2diblZzYkgxZCIsICJjb250ZW50LWVuY29kaW5nIjogInV0Zi04IiwgImNvbnRlbnQtdHlwZSI6ICJhcHBsaWNhdGlvbi9qc29uIiwgImhlYWRlcnMiOiB7ImxhbmciOiAicHkiLCAidGFzayI6ICJwcm9qLnRhc2tzLmFkZCIsICJpZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMTMiLCAic2hhZG93IjogbnVsbCwgImV0YSI6IG51bGwsICJleHBpcmVzIjogbnVsbCwgImdyb3VwIjogbnVsbCwgImdyb3VwX2luZGV4IjogbnVsbCwgInJldHJpZXMiOiAwLCAidGltZWxpbWl0IjogW251bGwsIG51bGxdLCAicm9vdF9pZCI6ICIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMTMiLCAicGFyZW50X2lkIjogbnVsbCwgImFyZ3NyZXByIjogIigxLCAyKSIsICJrd2FyZ3NyZXByIjogInt9IiwgIm9yaWdpbiI6ICJnZW4xMjE1MEBob3N0MSIsICJpZ25vcmVfcmVzdWx0IjogZmFsc2UsICJyZXBsYWNlZF90YXNrX25lc3RpbmciOiAwLCAic3RhbXBlZF9oZWFkZXJzIjogbnVsbCwgInN0YW1wcyI6IHt9fSwgInByb3BlcnRpZXMiOiB7ImNvcnJlbGF0aW9uX2lkIjogIjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAxMyIsICJyZXBseV90byI6ICI3YTRlODE2OC1hNTZkLTM2OGYtYmQxMS01YWFiMjI5ZDM4ZTYiLCAiRGVsYXlTZWNvbmRzIjogMzAsICJkZWxpdmVyeV9tb2RlIjogMiwgImRlbGl2ZXJ5X2luZm8iOiB7ImV4Y2hhbmdlIjogIiIsICJyb3V0aW5nX2tleSI6ICJhdHRycyJ9LCAicHJpb3JpdHkiOiAwLCAiYm9keV9lbmNvZGluZyI6ICJiYXNlNjQiLCAiZGVsaXZlcnlfdGFnIjogImM1MDNmNzc2LTY5NDgtNDc0YS1iNWE3LTAwMDAwMDAwMDAwMCJ9fQ==',
    message: {
      ...SENT,
      id: '00000000-0000-4000-8000-000000000013',
      args: [1, 2],
      argsrepr: '(1, 2)',
      queue: 'attrs',
      properties: { DelaySeconds: 30 },
    },
  },
  {
    name: 'the smallest message',
    body: 'eyJib2R5IjogIlcxc3hMQ0F5WFN3Z2UzMHNJSHQ5WFE9PSIsICJjb250ZW50LWVuY29kaW5nIjogInV0Zi04IiwgImNvbnRlbnQtdHlwZSI6ICJhcHBsaWNhdGlvbi9qc29uIiwgImhlYWRlcnMiOiB7InRhc2siOiAicHJvai50YXNrcy5hZGQiLCAiaWQiOiAiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDE0In0sICJwcm9wZXJ0aWVzIjogeyJkZWxpdmVyeV9pbmZvIjogeyJleGNoYW5nZSI6ICIiLCAicm91dGluZ19rZXkiOiAiY2VsZXJ5In0sICJib2R5X2VuY29kaW5nIjogImJhc2U2NCJ9fQ==',
    message: {
      id: '00000000-0000-4000-8000-000000000014',
      task: 'proj.tasks.add',
      args: [1, 2],
      queue: 'celery',
    },
  },
];
