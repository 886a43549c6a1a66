import {
  type AnySignature,
  type AsyncResult,
  type BeatEntry,
  type CanvasSignature,
  Celeriac,
  chain,
  chord,
  enqueueMany,
  every,
  group,
  type GroupResult,
  type GroupSignature,
  type SettledResult,
  type Signature,
  signature,
} from 'celeriac';
import { describe, expectTypeOf, it } from 'vitest';

const app = new Celeriac('types');
const add = app.task('add', (x: number, y: number) => x + y);
const three = app.task('three', (x: number, y: string, z: boolean) => `${x}${y}${z}`);
const greet = app.task('greet', (name: string) => `hello ${name}`);
const greeting = app.task('greeting', (name: string, word?: string) => `${word ?? 'hello'} ${name}`);
const limited = app.task('limited', (name: string, limit?: number) => name.slice(0, limit));
const total = app.task('total', (...values: number[]) => values.length);
const labelled = app.task('labelled', (label: string, ...values: number[]) => `${label}${values.length}`);
const crawl = app.task('crawl', { bind: true }, async (self, url: string) => ({ url, id: self.request.id }));
const size = app.task('size', async (page: { readonly url: string }) => page.url.length);
const sum = app.task('sum', (values: readonly number[]) => values.length);
const list = app.task('list', (values: unknown[]) => values);
const quiet = app.task('quiet', (_value: number): void => {});
const either = app.task('either', (value: number): number | string => value);
const both = app.task('both', (value: number | string) => String(value));
const perhaps = app.task('perhaps', (value: number): string | undefined => (value > 0 ? 'x' : undefined));
const stop = app.task('stop', (): never => {
  throw new Error('stop');
});
const ping = app.task('ping', () => 'pong' as const);
const same = app.task('same', <T>(value: T): T => value);
class CreateUser extends app.Task<[name: string], Promise<{ name: string }>> {
  static override readonly taskName = 'users.create';
  override async run(name: string): Promise<{ name: string }> {
    return { name };
  }
}
const createUser = app.register(CreateUser);
declare const numbers: number[];

describe('s', () => {
  it('knows its result, and what it can still be given', () => {
    expectTypeOf(add.s(1, 2)).toEqualTypeOf<CanvasSignature<number, []>>();
    expectTypeOf(add.s(2)).toEqualTypeOf<CanvasSignature<number, [number]>>();
    expectTypeOf(add.s()).toEqualTypeOf<CanvasSignature<number, [number, number]>>();
    expectTypeOf(three.s(true)).toEqualTypeOf<CanvasSignature<string, [number, string]>>();
    expectTypeOf(three.s('y', true)).toEqualTypeOf<CanvasSignature<string, [number]>>();
    expectTypeOf(ping.s()).toEqualTypeOf<CanvasSignature<'pong', []>>();
    // @ts-expect-error not the last arguments
    void (() => three.s(1, 'y'));
    // @ts-expect-error too many
    void (() => add.s(1, 2, 3));
  });

  it('optional parameters may be given or left', () => {
    expectTypeOf(greeting.s()).toEqualTypeOf<CanvasSignature<string, [string] | [string, string]>>();
    // Of two texts one is there: the word, or the name.
    expectTypeOf(greeting.s('moin')).toEqualTypeOf<CanvasSignature<string, [] | [string]>>();
    expectTypeOf(limited.s(3)).toEqualTypeOf<CanvasSignature<string, [string]>>();
    expectTypeOf(limited.s('name')).toEqualTypeOf<CanvasSignature<string, []>>();
    expectTypeOf(limited.s('name', 3)).toEqualTypeOf<CanvasSignature<string, []>>();
  });

  it('rest parameters take any number', () => {
    expectTypeOf(total.s(1, 2)).toEqualTypeOf<CanvasSignature<number, [] | number[]>>();
    expectTypeOf(total.s(...numbers)).toEqualTypeOf<CanvasSignature<number, [] | number[]>>();
    expectTypeOf(labelled.s('x', 1)).toEqualTypeOf<CanvasSignature<string, []>>();
    expectTypeOf(labelled.s(1)).toEqualTypeOf<CanvasSignature<string, [string] | [string, ...number[]]>>();
    // @ts-expect-error not a number
    void (() => total.s('1'));
  });

  it('bound, async and class tasks', () => {
    expectTypeOf(crawl.s('x')).toEqualTypeOf<CanvasSignature<{ url: string; id: string }, []>>();
    expectTypeOf(size.s()).toEqualTypeOf<CanvasSignature<number, [{ readonly url: string }]>>();
    expectTypeOf(createUser.s('ada')).toEqualTypeOf<CanvasSignature<{ name: string }, []>>();
    expectTypeOf(createUser.s()).toEqualTypeOf<CanvasSignature<{ name: string }, [name: string]>>();
  });

  it('void, never, undefined and unions stay what they are', () => {
    expectTypeOf(quiet.s(1).delay()).resolves.toEqualTypeOf<AsyncResult<void>>();
    expectTypeOf(stop.s().delay()).resolves.toEqualTypeOf<AsyncResult<never>>();
    expectTypeOf(chain(perhaps.s(1)).delay()).resolves.toEqualTypeOf<AsyncResult<string | undefined>>();
    expectTypeOf(chain(either.s(1)).delay()).resolves.toEqualTypeOf<AsyncResult<number | string>>();
    expectTypeOf(same.s(1).delay()).resolves.toEqualTypeOf<AsyncResult>();
  });

  it('si is complete, and can be given anything', () => {
    expectTypeOf(add.si(1, 2)).toEqualTypeOf<CanvasSignature<number>>();
    // @ts-expect-error one is missing
    void (() => add.si(2));
  });

  it('signature and set: immutable, and kwargs, end the count of what is open', () => {
    expectTypeOf(add.signature([2], { queue: 'mail' })).toEqualTypeOf<CanvasSignature<number, [number]>>();
    expectTypeOf(add.signature([1, 2], { immutable: true })).toEqualTypeOf<CanvasSignature<number>>();
    expectTypeOf(add.signature([], { kwargs: { y: 2 } })).toEqualTypeOf<CanvasSignature<number>>();
    expectTypeOf(add.s(2).set({ queue: 'mail' })).toEqualTypeOf<CanvasSignature<number, [number]>>();
    expectTypeOf(add.s(1, 2).set({ immutable: true })).toEqualTypeOf<CanvasSignature<number>>();
    expectTypeOf(add.s(2).set({ kwargs: { y: 2 } })).toEqualTypeOf<CanvasSignature<number>>();
    // @ts-expect-error no such option
    void (() => add.s(1, 2).set({ countdwn: 1 }));
  });

  it('what changes a signature leaves its type', () => {
    const sig = add.s(2);
    expectTypeOf(sig.link(greet.s('x'))).toEqualTypeOf(sig);
    expectTypeOf(sig.linkError(greet.s())).toEqualTypeOf(sig);
    expectTypeOf(sig.onError(greet.s())).toEqualTypeOf(sig);
    expectTypeOf(sig.stamp({ tenant: 'a' })).toEqualTypeOf(sig);
    const all = group(add.s(1, 1));
    expectTypeOf(all.set({ queue: 'mail' }).stamp({ tenant: 'a' })).toEqualTypeOf(all);
  });

  it('fits where less is known', () => {
    expectTypeOf(add.s(1, 2)).toExtend<CanvasSignature>();
    expectTypeOf(add.s(1)).toExtend<CanvasSignature<number>>();
    expectTypeOf(add.s(1)).toExtend<AnySignature>();
    expectTypeOf(add.s(1)).toExtend<Signature<number>>();
    expectTypeOf(add.s(1)).not.toExtend<Signature<string>>();
    expectTypeOf(group(add.s(1, 1))).toExtend<CanvasSignature<readonly number[], readonly unknown[], GroupResult>>();
    expectTypeOf(signature('any.name')).toEqualTypeOf<CanvasSignature>();
    expectTypeOf(signature(add.s(1))).toEqualTypeOf<CanvasSignature<number>>();
    expectTypeOf(signature({ task: 'any.name' })).toEqualTypeOf<CanvasSignature>();
    expectTypeOf(signature<number>('any.name').delay(1)).resolves.toEqualTypeOf<AsyncResult<number>>();
  });
});

describe('sending', () => {
  it('takes the open arguments and gives the result', () => {
    expectTypeOf(add.s(2).delay(1)).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(add.s(2).applyAsync([1], { countdown: 5 })).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(add.s(1, 2).apply()).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(greeting.s().delay('ada')).resolves.toEqualTypeOf<AsyncResult<string>>();
    expectTypeOf(group(add.s(1), greet.si('x')).delay(1)).resolves.toEqualTypeOf<GroupResult<[number, string]>>();
    // @ts-expect-error one argument is open
    void (() => add.s(2).delay());
    // @ts-expect-error none is
    void (() => add.s(1, 2).delay(3));
    // @ts-expect-error of another type
    void (() => add.s(2).delay('1'));
    // @ts-expect-error of another type
    void (() => add.s(2).applyAsync(['1']));
    // @ts-expect-error no such option
    void (() => add.s(2).applyAsync([1], { countdwn: 5 }));
  });

  it('schedules and enqueueMany take signatures', () => {
    expectTypeOf({ task: add.s(1, 2), schedule: every('10s') }).toExtend<BeatEntry>();
    expectTypeOf({ task: chain(add.s(1, 2), add.s(1)), schedule: 10 }).toExtend<BeatEntry>();
    expectTypeOf({ task: group(add.s(1, 2)), schedule: '5m' as const }).toExtend<BeatEntry>();
    expectTypeOf(enqueueMany(numbers.map((value) => add.s(value, 1)))).resolves.toEqualTypeOf<AsyncResult<number>[]>();
    expectTypeOf(enqueueMany([perhaps.s(1)])).resolves.toEqualTypeOf<AsyncResult<string | undefined>[]>();
  });
});

describe('chain', () => {
  it('takes what its first step takes and gives what its last step gives', () => {
    expectTypeOf(chain(crawl.s('x'), size.s(), add.s(1))).toEqualTypeOf<CanvasSignature<number, []>>();
    expectTypeOf(chain(add.s(1), three.s('y', true))).toEqualTypeOf<CanvasSignature<string, [number]>>();
    expectTypeOf(chain(greeting.s(), greet.s())).toEqualTypeOf<CanvasSignature<string, [string] | [string, string]>>();
    expectTypeOf(chain(add.s(1), add.s(2)).delay(3)).resolves.toEqualTypeOf<AsyncResult<number>>();
    // @ts-expect-error its first step has an open argument
    void (() => chain(add.s(1), add.s(2)).delay());
  });

  it('a step that does not take the result before is an error there', () => {
    // @ts-expect-error a number is no text
    void (() => chain(add.s(1, 2), greet.s()));
    void (() =>
      chain(
        add.s(1, 2),
        add.s(3),
        // @ts-expect-error a number is no text
        greet.s(),
        greet.s(),
      ));
    // @ts-expect-error the first open argument counts, not the last
    void (() => chain(greet.s('x'), three.s('y', true)));
    // @ts-expect-error a union does not fit one of its members
    void (() => chain(either.s(1), add.s(1)));
    // @ts-expect-error nothing is no number
    void (() => chain(quiet.s(1), add.s(1)));
    // @ts-expect-error perhaps undefined
    void (() => chain(perhaps.s(1), greet.s()));
    // @ts-expect-error what is not known is no number
    void (() => chain(signature('any.name'), add.s(1)));
    // @ts-expect-error not a number
    void (() => chain(greet.s('x'), total.s(1)));
    // @ts-expect-error no signature
    void (() => chain(add));
  });

  it('one open argument, neither less nor more', () => {
    // @ts-expect-error all arguments are given
    void (() => chain(add.s(1, 2), add.s(3, 4)));
    // @ts-expect-error no arguments at all
    void (() => chain(add.s(1, 2), ping.s()));
    // @ts-expect-error two are open
    void (() => chain(add.s(1, 2), add.s()));
    expectTypeOf(chain(add.s(1, 2), add.si(3, 4), ping.si())).toEqualTypeOf<CanvasSignature<'pong', []>>();
    expectTypeOf(chain(add.s(1, 2), add.signature([], { kwargs: { y: 1 } }))).toEqualTypeOf<
      CanvasSignature<number, []>
    >();
  });

  it('unions, optional and rest parameters', () => {
    chain(either.s(1), both.s());
    chain(add.s(1, 2), both.s());
    chain(greet.s('x'), greeting.s());
    chain(greet.s('x'), greeting.s('moin'));
    chain(add.s(1, 2), total.s());
    chain(add.s(1, 2), total.s(3, 4));
    chain(greet.s('x'), labelled.s(1, 2));
    chain(stop.s(), add.s(1));
    chain(signature<number>('any.name'), add.s(1));
    chain(add.s(1, 2), signature('any.name'), signature('another'));
    const step = numbers.length > 1 ? add.s(1) : both.s();
    expectTypeOf(chain(add.s(1, 2), step).delay()).resolves.toExtend<AsyncResult<number> | AsyncResult<string>>();
    const bad = numbers.length > 1 ? add.s(1) : greet.s();
    // @ts-expect-error one of the two takes no number
    void (() => chain(add.s(1, 2), bad));
  });

  it('groups and chords as steps', () => {
    expectTypeOf(chain(add.s(1, 2), group(add.s(1), both.s()))).toEqualTypeOf<
      CanvasSignature<[number, string], [], GroupResult<[number, string]>>
    >();
    expectTypeOf(chain(group(add.s(1, 1), add.s(2, 2)), sum.s())).toEqualTypeOf<CanvasSignature<number, []>>();
    expectTypeOf(chain(add.s(1, 2), group(add.s(1), add.si(1, 1)), sum.s(), greet.si('x'))).toEqualTypeOf<
      CanvasSignature<string, []>
    >();
    expectTypeOf(chain(add.s(1, 2), chord([add.s(1), add.s(2)], sum.s()))).toEqualTypeOf<CanvasSignature<number, []>>();
    // @ts-expect-error one member takes no number
    void (() => chain(add.s(1, 2), group(add.s(1), greet.s())));
    // @ts-expect-error one member takes nothing
    void (() => chain(add.s(1, 2), group(add.s(1), add.s(1, 1))));
    // @ts-expect-error the chord's member takes no number
    void (() => chain(add.s(1, 2), chord([greet.s()], list.s())));
    // @ts-expect-error texts, not numbers
    void (() => chain(group(greet.s('x'), greet.s('y')), sum.s()));
    expectTypeOf(chain(group(add.s(1), add.s(2)))).toEqualTypeOf<GroupSignature<[number, number], [number]>>();
  });

  it('of signatures that only the run knows', () => {
    const steps: Signature[] = [add.s(1, 2), greet.s()];
    expectTypeOf(chain(...steps).delay()).resolves.toEqualTypeOf<AsyncResult>();
    chain(add.s(1, 2), ...steps);
    chain(...steps, greet.s());
    const any: AnySignature[] = [];
    chain(...any);
    chain(...numbers.map((value) => add.s(value)));
    const pair = [add.s(1, 2), add.s(3)] as const;
    expectTypeOf(chain(...pair).delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
  });

  it('pipe is chain', () => {
    expectTypeOf(add.s(1).pipe(add.s(2))).toEqualTypeOf<CanvasSignature<number, [number]>>();
    expectTypeOf(crawl.s('x').pipe(size.s()).pipe(both.s()).pipe(greet.si('x'))).toEqualTypeOf<
      CanvasSignature<string, []>
    >();
    expectTypeOf(group(add.s(1, 1), add.s(2, 2)).pipe(sum.s())).toEqualTypeOf<CanvasSignature<number, []>>();
    expectTypeOf(add.s(1, 1).pipe(group(add.s(1), both.s()))).toEqualTypeOf<
      CanvasSignature<[number, string], [], GroupResult<[number, string]>>
    >();
    // @ts-expect-error a number is no text
    void (() => add.s(1, 2).pipe(greet.s()));
    // @ts-expect-error all arguments are given
    void (() => add.s(1, 2).pipe(add.s(1, 1)));
    // A signature that is a thenable would be sent by `await`.
    expectTypeOf<'then' & keyof CanvasSignature>().toBeNever();
  });
});

describe('group', () => {
  it('gives a tuple, or an array', () => {
    expectTypeOf(group(add.s(1, 1), greet.s('x'))).toEqualTypeOf<GroupSignature<[number, string], []>>();
    expectTypeOf(group([add.s(1, 1), greet.s('x')]).delay()).resolves.toEqualTypeOf<GroupResult<(number | string)[]>>();
    expectTypeOf(group(numbers.map((value) => add.s(value, 1))).delay()).resolves.toEqualTypeOf<
      GroupResult<number[]>
    >();
    expectTypeOf(group(new Set([greet.s('x')])).delay()).resolves.toEqualTypeOf<GroupResult<string[]>>();
    expectTypeOf(group(...numbers.map((value) => add.s(value, 1))).delay()).resolves.toEqualTypeOf<
      GroupResult<number[]>
    >();
    expectTypeOf(group().delay()).resolves.toEqualTypeOf<GroupResult<[]>>();
    expectTypeOf(group([]).delay()).resolves.toEqualTypeOf<GroupResult<never[]>>();
    // @ts-expect-error no signatures
    void (() => group(1, 2));
  });

  it('a group within is its members; a chain that ends in one is not', () => {
    const inner = group(greet.s('x'), quiet.s(1));
    expectTypeOf(group(add.s(1, 1), inner, ping.s()).delay()).resolves.toEqualTypeOf<
      GroupResult<[number, string, void, 'pong']>
    >();
    expectTypeOf(group(inner.set({ queue: 'mail' })).delay()).resolves.toEqualTypeOf<GroupResult<[string, void]>>();
    expectTypeOf(group(inner.set({ immutable: true })).delay()).resolves.toEqualTypeOf<GroupResult<[string, void]>>();
    expectTypeOf(group(chain(inner)).delay()).resolves.toEqualTypeOf<GroupResult<[string, void]>>();
    expectTypeOf(group(numbers.map((value) => group(add.s(value, 1)))).delay()).resolves.toEqualTypeOf<
      GroupResult<number[]>
    >();
    expectTypeOf(group(chain(add.s(1, 1), group(add.s(1), both.s())), ping.s()).delay()).resolves.toEqualTypeOf<
      GroupResult<[[number, string], 'pong']>
    >();
  });

  it('results', async () => {
    const result = await group(add.s(1, 1), greet.s('x')).delay();
    expectTypeOf(result.join({ timeout: 1 })).resolves.toEqualTypeOf<[number, string]>();
    expectTypeOf(result.get()).resolves.toEqualTypeOf<[number, string]>();
    expectTypeOf(result.results).toEqualTypeOf<AsyncResult<number | string>[]>();
    for await (const { value } of result.iterate()) expectTypeOf(value).toEqualTypeOf<number | string>();
  });

  it('takes what all of its members take', () => {
    void group(add.s(1), add.s(2)).delay(3);
    void group(add.s(1), add.si(2, 2)).delay(3);
    void group(add.s(1), add.si(2, 2)).applyAsync([3], { countdown: 1 });
    void group(add.s(1), add.si(2, 2)).applyAsync();
    // @ts-expect-error one argument is open
    void (() => group(add.s(1), add.s(2)).delay());
    // @ts-expect-error one member takes no number
    void (() => group(add.s(1), greet.s()).delay(1));
  });
});

describe('chord', () => {
  it('hands the array of results to its body', () => {
    expectTypeOf(chord([add.s(1, 1), add.s(2, 2)], sum.s())).toEqualTypeOf<CanvasSignature<number, []>>();
    expectTypeOf(chord([add.s(1, 1), greet.s('x')], list.s()).delay()).resolves.toEqualTypeOf<AsyncResult<unknown[]>>();
    expectTypeOf(chord(group(add.s(1), add.s(2)), sum.s())).toEqualTypeOf<CanvasSignature<number, [number]>>();
    expectTypeOf(
      chord(
        numbers.map((value) => add.s(value, 1)),
        sum.s(),
      ).delay(),
    ).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(chord([], sum.s()).delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(chord([greet.s('x')], add.si(1, 1)).delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
    const steps: Signature[] = [];
    chord(steps, list.s());
  });

  it('a body may be any signature', () => {
    const header = [add.s(1, 1), add.s(2, 2)] as const;
    expectTypeOf(chord(header, chain(sum.s(), both.s())).delay()).resolves.toEqualTypeOf<AsyncResult<string>>();
    expectTypeOf(chord(header, group(sum.s(), list.s())).delay()).resolves.toEqualTypeOf<
      GroupResult<[number, unknown[]]>
    >();
    expectTypeOf(chord(header, chord([sum.s(), sum.s()], list.s())).delay()).resolves.toEqualTypeOf<
      AsyncResult<unknown[]>
    >();
  });

  it('a body that does not take it is an error there', () => {
    // @ts-expect-error texts, not numbers
    void (() => chord([greet.s('x')], sum.s()));
    // @ts-expect-error the array, not each
    void (() => chord([add.s(1, 1)], add.s(1)));
    // @ts-expect-error all arguments are given
    void (() => chord([add.s(1, 1)], sum.s([1])));
    // @ts-expect-error texts, not numbers
    void (() => chord(group(greet.s('x'), greet.s('y')), sum.s()));
    // @ts-expect-error no such policy
    void (() => chord([add.s(1, 1)], sum.s(), { policy: 'no' }));
  });

  it("policy 'settled': outcomes", () => {
    const outcomes = app.task('outcomes', (values: SettledResult<number>[]) => values.length);
    expectTypeOf(chord([add.s(1, 1)], outcomes.s(), { policy: 'settled' })).toEqualTypeOf<
      CanvasSignature<number, []>
    >();
    chord(group(add.s(1, 1)), outcomes.s(), { policy: 'settled' });
    chord([add.s(1, 1)], sum.s(), { policy: 'failFast' });
    // @ts-expect-error outcomes, not numbers
    void (() => chord([add.s(1, 1)], sum.s(), { policy: 'settled' }));
    // @ts-expect-error numbers, not outcomes
    void (() => chord([add.s(1, 1)], outcomes.s()));
    // @ts-expect-error outcomes of texts
    void (() => chord([greet.s('x')], outcomes.s(), { policy: 'settled' }));
  });
});

describe('map, starmap, chunks', () => {
  it('give lists', () => {
    expectTypeOf(crawl.map(['x', 'y']).delay()).resolves.toEqualTypeOf<AsyncResult<{ url: string; id: string }[]>>();
    expectTypeOf(greeting.map(['x']).delay()).resolves.toEqualTypeOf<AsyncResult<string[]>>();
    const pairs = [
      [1, 2],
      [3, 4],
    ] as const;
    expectTypeOf(add.starmap(pairs).delay()).resolves.toEqualTypeOf<AsyncResult<number[]>>();
    expectTypeOf(add.starmap([[1, 2]]).delay()).resolves.toEqualTypeOf<AsyncResult<number[]>>();
    expectTypeOf(add.chunks(pairs, 1).delay()).resolves.toEqualTypeOf<GroupResult<number[][]>>();
    expectTypeOf(chord([greet.map(['x'])], list.s()).delay()).resolves.toEqualTypeOf<AsyncResult<unknown[]>>();
    chain(add.starmap(pairs), sum.s());
    chain(add.s(1, 2), add.starmap(pairs));
    // @ts-expect-error a list of lists
    void (() => chain(add.chunks(pairs, 1), sum.s()));
    // @ts-expect-error not a text
    void (() => greet.map([1]));
    // @ts-expect-error the task needs two
    void (() => add.map([1]));
    // @ts-expect-error one is missing
    void (() => add.starmap([[1]]));
    // @ts-expect-error a list of arguments for each
    void (() => add.chunks([1], 2));
  });
});

describe('clone and skew', () => {
  it('keep what a signature results in', () => {
    expectTypeOf(add.s(1).clone([2]).delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(group(add.s(1, 2)).skew({ step: '1m' }).delay()).resolves.toEqualTypeOf<GroupResult<[number]>>();
    // @ts-expect-error not what it can be given
    void (() => add.s(1).clone(['2']));
    // @ts-expect-error only groups can be spread
    void (() => add.s(1, 2).skew());
  });
});
