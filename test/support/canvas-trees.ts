/** Random trees of signatures, and tasks whose results tell exactly who was called with what. */
import { type AnySignature, Celeriac, chain, chord, group, Ignore, Reject, TimeoutError } from 'celeriac';
import fc from 'fast-check';

import type { ChordPolicy } from '../../lib/canvas/build.ts';
import type { Sent } from './canvas-world.ts';

export type Tree =
  | { readonly kind: 'task'; readonly label: number; readonly immutable: boolean }
  | { readonly kind: 'map'; readonly label: number }
  | { readonly kind: 'bad'; readonly how: 'throw' | 'reject' | 'ignore' }
  | { readonly kind: 'chain'; readonly steps: readonly Tree[] }
  | { readonly kind: 'group'; readonly members: readonly Tree[] }
  | { readonly kind: 'chord'; readonly header: readonly Tree[]; readonly body: Tree; readonly policy: ChordPolicy };

export interface PackTasks {
  readonly app: Celeriac;
  /** Task ids, one for each run. */
  readonly runs: string[];
  readonly build: (tree: Tree) => AnySignature;
}

/** `pack` gives its arguments, so that a result is the whole history. */
export function packTasks(): PackTasks {
  const app = new Celeriac('trees');
  const runs: string[] = [];
  const pack = app.task('pack', { bind: true }, (self, ...args: unknown[]): unknown => {
    runs.push(`${self.request.id} ${JSON.stringify(args)}`);
    return args;
  });
  const bad = app.task('bad', { bind: true }, (self, ...args: unknown[]): unknown => {
    runs.push(`${self.request.id} ${JSON.stringify(args)}`);
    const how = args.at(-1);
    if (how === 'reject') throw new Reject('no');
    if (how === 'ignore') throw new Ignore('never mind');
    throw new RangeError('bad');
  });
  const build = (tree: Tree): AnySignature => {
    switch (tree.kind) {
      case 'task':
        return tree.immutable ? pack.si(`t${tree.label}`) : pack.s(`t${tree.label}`);
      case 'map':
        return pack.map([`m${tree.label}`, 'x']);
      case 'bad':
        return bad.s(tree.how);
      case 'chain':
        return chain(...(tree.steps.map(build) as never[]));
      case 'group':
        return group(tree.members.map(build));
      case 'chord':
        return chord(tree.header.map(build) as never[], build(tree.body) as never, { policy: tree.policy });
      default:
        return tree satisfies never;
    }
  };
  return { app, runs, build };
}

export interface TreeShape {
  /** Steps that fail, and every policy. */
  readonly failures: boolean;
}

export function trees({ failures }: TreeShape): fc.Arbitrary<Tree> {
  const task = fc.record({
    kind: fc.constant('task' as const),
    label: fc.nat({ max: 9 }),
    immutable: fc.boolean(),
  });
  const map = fc.record({ kind: fc.constant('map' as const), label: fc.nat({ max: 9 }) });
  const bad = fc.record({
    kind: fc.constant('bad' as const),
    how: fc.constantFrom('throw' as const, 'reject' as const, 'ignore' as const),
  });
  const policy: fc.Arbitrary<ChordPolicy> = failures
    ? fc.constantFrom('celery', 'failFast', 'settled')
    : fc.constant('celery');
  return fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, depthSize: 'medium' },
      { arbitrary: task, weight: 5 },
      { arbitrary: map, weight: 1 },
      ...(failures ? [{ arbitrary: bad, weight: 1 }] : []),
      {
        arbitrary: fc.record({
          kind: fc.constant('chain' as const),
          steps: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
        }),
        weight: 3,
      },
      {
        arbitrary: fc.record({ kind: fc.constant('group' as const), members: fc.array(tie('tree'), { maxLength: 3 }) }),
        weight: 3,
      },
      {
        arbitrary: fc.record({
          kind: fc.constant('chord' as const),
          header: fc.array(tie('tree'), { maxLength: 3 }),
          body: tie('tree'),
          policy,
        }),
        weight: 3,
      },
    ),
  })).tree;
}

/** The value, or the error's name; a group's members one by one. */
export async function outcomeOf(result: Sent, ignored: ReadonlySet<string>): Promise<unknown> {
  try {
    return shown(await result.get({ propagate: false, timeout: 0 }));
  } catch (error) {
    // As in Celery nobody is told of a single task that raised Ignore.
    if (TimeoutError.is(error) && ignored.has(result.id)) return undefined;
    throw error;
  }
}

/** Without messages: they name ids, which are others each time. */
function shown(value: unknown): unknown {
  if (value instanceof Error) return `error ${value.name}`;
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  if ('type' in value && 'message' in value) return `error ${String(value.type)}`;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shown(part)]));
}
