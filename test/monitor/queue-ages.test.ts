/** The ages of messages are billed by the question: one a minute for a queue, however many look. */
import { expect, it } from 'vitest';

import { heldAges } from '../../lib/monitor/queue-views.ts';

it('is asked once a minute for each queue, and again after a failure', async () => {
  const clock = { nowMs: () => nowMs };
  let nowMs = 0;
  const asked: string[] = [];
  const ages = heldAges((name) => {
    asked.push(name);
    return name === 'broken' ? Promise.reject(new Error('denied')) : Promise.resolve(asked.length);
  }, clock);
  const mail = 'https://sqs.test/000000000000/mail';
  expect([await ages(mail), await ages(mail)]).toEqual([1, 1]);
  nowMs = 59_999;
  expect(await ages(mail)).toBe(1);
  nowMs = 60_000;
  expect(await ages(mail)).toBe(2);
  await expect(ages('https://sqs.test/0/broken')).rejects.toThrow('denied');
  await expect(ages('https://sqs.test/0/broken')).rejects.toThrow('denied');
  expect(asked).toEqual(['mail', 'mail', 'broken', 'broken']);
});
