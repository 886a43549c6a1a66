/** Which types of arguments and results can be sent: the compiler refuses what the encoder refuses. */
import { Celeriac, type Serializable, type Signature, type TaskContext, type typed } from 'celeriac';
import { describe, expectTypeOf, it } from 'vitest';

const app = new Celeriac('types');

interface Address {
  readonly street: string;
  lines?: string[];
}
interface User {
  id: number;
  name?: string | undefined;
  born: Date;
  picture: Uint8Array;
  address: Address | null;
  tags: ReadonlyArray<[label: string, weight?: number]>;
  friends: User[];
  parent?: User;
  anything: unknown;
}
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
interface Tree<T> {
  readonly value: T;
  readonly children: readonly Tree<T>[];
}
type Event = { kind: 'made'; at: Date } | { kind: 'gone'; why?: string };
type UserId = string & { readonly brand: unique symbol };
class Money {
  constructor(amount: number) {
    this.amount = amount;
  }
  readonly amount: number;
  times(factor: number): Money {
    return new Money(this.amount * factor);
  }
}
class Point {
  readonly x: number = 0;
}

describe('what can be sent', () => {
  it('interfaces, aliases, unions, optional properties, types that hold themselves', () => {
    app.task('user', (user: User) => user);
    app.task('json', (value: Json) => value);
    app.task('tree', async (tree: Tree<Date>) => tree.children);
    app.task('event', (event: Event, ...more: readonly Event[]) => more.concat(event));
    app.task('branded', (id: UserId) => ({ [id]: id }));
    app.task('record', (record: Record<string, Address>, partial: Partial<User>) => ({ ...record, partial }));
    app.task('literal', (kind: 'a' | 1 | true, at: readonly [number, string?]) => [kind, at] as const);
    app.task('bytes', (bytes: Buffer, when: Date) => [bytes, when]);
    app.task('object', (value: object, empty: {}) => [value, empty]);
    // Without methods its class cannot be told from an interface.
    app.task('data', (point: Point) => point);
    app.task('typed', (price: ReturnType<typeof typed.decimal>) => price);
    app.task('signature', (step: Signature) => step);
  });

  it('what is not known, and nothing at all', () => {
    app.task('unknown', (value: unknown, list: unknown[], record: Record<string, unknown>) => [value, list, record]);
    app.task('parsed', (text: string) => JSON.parse(text));
    app.task('void', async (): Promise<void> => {});
    app.task('undefined', () => undefined);
    app.task('never', (): never => {
      throw new Error('never');
    });
    app.task('perhaps', (value?: string) => ({ value, other: value === undefined ? undefined : 1 }));
  });

  it('is itself', () => {
    expectTypeOf<User>().toExtend<Serializable<User>>();
    expectTypeOf<Tree<Date>>().toExtend<Serializable<Tree<Date>>>();
    expectTypeOf<Serializable<string | Date | undefined>>().toEqualTypeOf<string | Date | undefined>();
    expectTypeOf<Serializable<unknown>>().toEqualTypeOf<unknown>();
    expectTypeOf<Serializable<bigint>>().toEqualTypeOf<never>();
    expectTypeOf<Tree<bigint>>().not.toExtend<Serializable<Tree<bigint>>>();
  });
});

describe('what cannot', () => {
  it('in arguments', () => {
    // @ts-expect-error a Map
    app.task('x', (_value: Map<string, number>) => 1);
    // @ts-expect-error a Set, deep inside
    app.task('x', (_value: { users?: { tags: ReadonlySet<string> }[] }) => 1);
    // @ts-expect-error a bigint in a union
    app.task('x', (_value: number | bigint) => 1);
    // @ts-expect-error a function
    app.task('x', (_value: () => void) => 1);
    // @ts-expect-error a symbol
    app.task('x', (_value: symbol) => 1);
    // @ts-expect-error a class with methods
    app.task('x', (_value: Money) => 1);
    // @ts-expect-error a class itself
    app.task('x', (_value: typeof Money) => 1);
    // @ts-expect-error of a rest parameter
    app.task('x', (..._values: URL[]) => 1);
    // @ts-expect-error of an optional one
    app.task('x', (_value?: RegExp) => 1);
    // @ts-expect-error with a default
    app.task('x', (value = new Map<string, number>()) => value.size);
    // @ts-expect-error with options
    app.task('x', { trackStarted: true }, (_value: Map<string, number>) => 1);
    // @ts-expect-error without a name
    app.task((_value: Map<string, number>) => 1);
    // @ts-expect-error of a bound task
    app.task('x', { bind: true }, (_self, _value: Map<string, number>) => 1);
    // @ts-expect-error a context is no argument
    app.task('x', (_self: TaskContext) => 1);
  });

  it('in results', () => {
    // @ts-expect-error a Map
    app.task('x', () => new Map([[1, 1]]));
    // @ts-expect-error promised
    app.task('x', async () => ({ found: new Set<string>() }));
    // @ts-expect-error a bigint
    app.task('x', () => 1n);
    // @ts-expect-error of a bound task
    app.task('x', { bind: true }, async (_self) => [1n]);
    // @ts-expect-error a generator
    app.task('x', async function* () {
      yield 1;
    });
    // @ts-expect-error a result that is read elsewhere
    app.task('x', async () => app.send('y'));
  });

  it('in class tasks', () => {
    class Argument extends app.Task<[value: Map<string, number>], void> {
      override run(_value: Map<string, number>): void {}
    }
    class Result extends app.Task<[], Promise<bigint>> {
      override async run(): Promise<bigint> {
        return 1n;
      }
    }
    // @ts-expect-error a Map
    void (() => app.register(Argument));
    // @ts-expect-error a bigint
    void (() => app.register(Result));
  });
});
