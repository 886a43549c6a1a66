/** What a developer reads of a task: one line, and a stack that points at the own source. */
import { describe, expect, it } from 'vitest';

import { framesOf, logText, withoutForeignFrames } from '../../lib/dev/log-text.ts';

const plain = (_style: string, text: string): string => text;
const base = { task: 'orders.charge', taskId: '7f3a0000-0000', queue: 'default' };

function linesOf(message: string, more: Record<string, unknown> = {}, level: 'info' | 'warn' | 'error' = 'info') {
  const entry = { timeMs: 0, level, message, fields: { ...base, ...more } };
  return logText(entry, { queue: 7, task: 13 }, plain, '/shop', '/shop/node_modules/celeriac/').map((line) =>
    line.replace(/\d\d:\d\d:\d\d/, 'hh:mm:ss'),
  );
}

const head = '  hh:mm:ss  default  orders.charge  7f3a  ';
const subject = 'Task orders.charge[7f3a0000-0000]';

describe('a task', () => {
  it.each([
    [`${subject} succeeded in 0.182s`, { state: 'success' }, '✓ 182 ms'],
    [`${subject} succeeded in 61.250s`, { state: 'success' }, '✓ 61.3 s'],
    [`${subject} retry: Retry in 4s: SmtpDown: 421`, { state: 'retry' }, '↻ retry in 4 s  SmtpDown: 421'],
    [`${subject} reject requeue=False: not mine`, { state: 'reject' }, '✗ rejected: not mine'],
    [`${subject} terminated after 2.000s`, { state: 'revoke' }, '⊘ terminated after 2.000s'],
    [`${subject} lost: worker lost`, {}, 'lost: worker lost'],
  ])('%s', (message, fields, end) => {
    expect(linesOf(message, fields)).toEqual([head + end]);
  });

  it('shows its arguments where they are known, on the same line', () => {
    const fields = { state: 'success', argsrepr: "('ada', 1200,\n '\u001b[2J')" };
    expect(linesOf(`${subject} succeeded in 0.182s`, fields)).toEqual([
      `${head}('ada', 1200,\\u000a '\\u001b[2J')  ✓ 182 ms`,
    ]);
  });

  it('that begins goes without saying', () => {
    expect(linesOf(`${subject} received`, { deliveries: 1 })).toEqual([]);
  });

  it('that fails shows where, in the code of the project', () => {
    const stack = [
      'TypeError: total is undefined',
      '    at build (file:///shop/src/report.ts:41:18)',
      '    at invoke (/shop/node_modules/celeriac/dist/lib/worker/run-task.js:70:48)',
      '    at process.processTicksAndRejections (node:internal/process/task_queues:104:5)',
    ].join('\n');
    const message = `${subject} raised unexpected: TypeError: total is undefined`;
    expect(linesOf(message, { state: 'fail', stack }, 'error')).toEqual([
      `${head}✗ TypeError: total is undefined`,
      '            at build (src/report.ts:41:18)',
    ]);
  });

  it('cannot colour the terminal or make lines of its own', () => {
    const [line] = linesOf(`${subject} raised unexpected: Error: a\nb\u001b[31m`, { state: 'fail' }, 'error');
    expect(line).toContain('✗ Error: a\\u000ab\\u001b[31m');
  });
});

it('a stack of others is shown rather than none', () => {
  expect(framesOf('Error\n    at node:internal/x:1:1', '/shop', '/lib/')).toEqual(['at node:internal/x:1:1']);
});

it('an error of loading is without the loader', () => {
  const text =
    'Error: Transform failed\n/shop/src/tasks.ts:7:7: ERROR: Expected ";"\n    at x (/shop/node_modules/esbuild/main.js:1:1)';
  expect(withoutForeignFrames(text, '/lib/')).toEqual([
    'Error: Transform failed',
    '/shop/src/tasks.ts:7:7: ERROR: Expected ";"',
  ]);
});
