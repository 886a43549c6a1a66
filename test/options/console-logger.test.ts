/** What the default logger writes, wherever it runs: whole lines, the caller's fields beside ours and never over them. */
import { consoleLogger, type LogLevel } from 'celeriac';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { jsonLine, readableLine } from '../../lib/options/console-logger.ts';
import { lambdaLogLevel } from '../../lib/options/environment.ts';

const HEAD = { timestamp: '2030-01-01T00:00:00.000Z', level: 'info', message: 'done' } as const;
const RESERVED = ['timestamp', 'level', 'message', 'requestId', 'fields'] as const;

const read = (line: string): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>;

describe('a JSON line', () => {
  it('has the fields at the top', () => {
    const line = jsonLine({ ...HEAD, requestId: 'r' }, { task: 'mail.send', taskId: '1' });
    const rest = { requestId: 'r', message: 'done', task: 'mail.send', taskId: '1' };
    expect(read(line)).toEqual({ timestamp: HEAD.timestamp, level: 'INFO', ...rest });
  });

  it('keeps what it says of itself, whatever the fields are called and hold', () => {
    const value = fc.oneof(fc.jsonValue(), fc.bigInt(), fc.constant(undefined), fc.date({ noInvalidDate: false }));
    const name = fc.oneof(fc.constantFrom(...RESERVED, '__proto__', 'toJSON'), fc.string());
    const message = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(message, fc.array(fc.tuple(name, value)), (text, entries) => {
        const fields = Object.fromEntries(entries);
        const line = jsonLine({ ...HEAD, message: text, requestId: 'r' }, fields);
        expect(line).not.toMatch(/[\n\r]/);
        expect(read(line)).toMatchObject({ ...HEAD, level: 'INFO', message: text, requestId: 'r' });
        expect(readableLine({ ...HEAD, message: text }, fields)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
    );
  });

  it("a field of a reserved name is found under 'fields'", () => {
    const given = { level: 'DEBUG', message: 'mine', timestamp: 1, task: 'a' };
    const line = read(jsonLine(HEAD, given));
    expect(line).toMatchObject({ ...HEAD, level: 'INFO', task: 'a' });
    expect(line['fields']).toEqual({ level: 'DEBUG', message: 'mine', timestamp: 1 });
  });

  it('never fails its caller', () => {
    const cycle: Record<string, unknown> = { name: 'a' };
    cycle['self'] = cycle;
    const shared = { x: 1 };
    const written = (fields: Record<string, unknown>) => read(jsonLine(HEAD, fields));
    expect(written({ cycle })['cycle']).toEqual({ name: 'a', self: '[Circular]' });
    expect(written({ a: shared, b: { c: shared } })).toMatchObject({ a: shared, b: { c: shared } });
    expect(written({ error: new TypeError('no') })['error']).toMatchObject({ name: 'TypeError', message: 'no' });
    const bad = {
      get field(): never {
        throw new Error('no field');
      },
    };
    expect(written({ task: 'a', bad })).toEqual({ ...HEAD, level: 'INFO', fieldsError: 'Error: no field' });
    const unprintable = Symbol('text') as unknown as string;
    expect(read(jsonLine({ ...HEAD, message: unprintable }, {}))['message']).toBe('Symbol(text)');
  });
});

describe('consoleLogger', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it('writes a JSON line by console, where no terminal is', () => {
    const written = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { isTTY } = process.stdout;
    process.stdout.isTTY = false;
    consoleLogger().log('warn', 'late', { task: 'a' });
    expect(read(String(written.mock.calls[0]?.[0]))).toMatchObject({ level: 'WARN', message: 'late', task: 'a' });
    process.stdout.isTTY = true;
    consoleLogger().log('warn', 'late\u001b[2J', { task: 'a' });
    process.stdout.isTTY = isTTY;
    expect(written.mock.calls[1]?.[0]).toMatch(/^\d{4}-\S+Z WARN {2}late\\u001b\[2J task="a"$/);
  });

  it.each([
    [undefined, undefined, ['info', 'warn', 'error']],
    ['debug', undefined, ['debug', 'info', 'warn', 'error']],
    ['error', 'DEBUG', ['error']],
    [undefined, 'TRACE', ['debug', 'info', 'warn', 'error']],
    [undefined, 'fatal', ['error']],
  ] as const)('from level %s, on Lambda %s', (minimum, ofLambda, levels) => {
    const written: string[] = [];
    const keep = (line: unknown): boolean => written.push(String(line)) > 0;
    vi.spyOn(process.stdout, 'write').mockImplementation(keep);
    for (const level of ['debug', 'info', 'warn', 'error'] as const) vi.spyOn(console, level).mockImplementation(keep);
    if (ofLambda !== undefined) vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'worker');
    vi.stubEnv('AWS_LAMBDA_LOG_LEVEL', ofLambda);
    const logger = consoleLogger(minimum);
    for (const level of ['debug', 'info', 'warn', 'error'] as LogLevel[]) logger.log(level, 'x');
    vi.restoreAllMocks();
    expect(written.map((line) => String(read(line)['level']).toLowerCase())).toEqual(levels);
  });

  it("the function's level counts on Lambda only", () => {
    expect(lambdaLogLevel({ AWS_LAMBDA_LOG_LEVEL: 'DEBUG' })).toBeUndefined();
    expect(lambdaLogLevel({ AWS_LAMBDA_FUNCTION_NAME: 'f' })).toBe('info');
  });
});
