/** Random trees whose tasks have links, error links, retries and ways to fail, as data: for this library and for Celery. */
import { type AnySignature, type AppOptions, Celeriac, chain, chord, group, Ignore, Reject } from 'celeriac';
import fc from 'fast-check';

import type { ChordPolicy } from '../../lib/canvas/build.ts';
import { silentLogger } from '../../lib/options/console-logger.ts';

/** `pack` gives its arguments; `silent` too, and ignores its result; `flaky` does at its third attempt. */
export const LEAVES = ['pack', 'silent', 'flaky', 'bad', 'reject', 'ignore'] as const;

export interface Leaf {
  readonly kind: 'task';
  readonly task: (typeof LEAVES)[number];
  readonly label: string;
  readonly immutable: boolean;
  readonly links: readonly LinkedTree[];
  /** Error links of one argument, of three, and chains of two of one. */
  readonly errorLinks: readonly ('one' | 'three' | 'chain')[];
}

export type LinkedTree =
  | Leaf
  | { readonly kind: 'map' | 'starmap' | 'chunks'; readonly label: string }
  | { readonly kind: 'chain'; readonly steps: readonly LinkedTree[] }
  | { readonly kind: 'group'; readonly members: readonly LinkedTree[] }
  | {
      readonly kind: 'chord';
      readonly header: readonly LinkedTree[];
      readonly body: LinkedTree;
      readonly policy: ChordPolicy;
    };

export interface Shape {
  readonly tasks: readonly Leaf['task'][];
  readonly errorLinks: readonly Leaf['errorLinks'][number][];
  readonly policies: readonly ChordPolicy[];
  /** Of a group and of a header. */
  readonly fewest: number;
}

export function linkedTrees({ tasks, errorLinks, policies, fewest }: Shape): fc.Arbitrary<LinkedTree> {
  const label = fc.nat({ max: 99 }).map(String);
  const plain = (links: readonly LinkedTree[]): Omit<Leaf, 'label' | 'immutable'> => ({
    kind: 'task',
    task: 'pack',
    links,
    errorLinks: [],
  });
  const linked: fc.Arbitrary<LinkedTree> = fc
    .record({ label, immutable: fc.boolean() })
    .map((parts): Leaf => ({ ...plain([]), ...parts }));
  const link = fc.oneof(
    { arbitrary: linked, weight: 3 },
    { arbitrary: fc.record({ kind: fc.constant('chain' as const), steps: fc.tuple(linked, linked) }), weight: 1 },
    { arbitrary: fc.record({ kind: fc.constant('group' as const), members: fc.tuple(linked, linked) }), weight: 1 },
  );
  const leaf: fc.Arbitrary<Leaf> = fc.record({
    kind: fc.constant('task' as const),
    task: fc.oneof(
      { arbitrary: fc.constant('pack' as const), weight: 3 },
      { arbitrary: fc.constantFrom(...tasks), weight: 2 },
    ),
    label,
    immutable: fc.boolean(),
    links: fc.array(link, { maxLength: 2, size: 'xsmall' }),
    // Celery has no link twice.
    errorLinks: fc.uniqueArray(fc.constantFrom(...errorLinks), { maxLength: 2 }),
  });
  const many = fc.record({ kind: fc.constantFrom('map' as const, 'starmap' as const, 'chunks' as const), label });
  return fc.letrec<{ tree: LinkedTree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, depthSize: 'medium' },
      { arbitrary: leaf, weight: 6 },
      { arbitrary: many, weight: 1 },
      {
        arbitrary: fc.record({
          kind: fc.constant('chain' as const),
          steps: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
        }),
        weight: 3,
      },
      {
        arbitrary: fc.record({
          kind: fc.constant('group' as const),
          members: fc.array(tie('tree'), { minLength: fewest, maxLength: 3 }),
        }),
        weight: 3,
      },
      {
        arbitrary: fc.record({
          kind: fc.constant('chord' as const),
          header: fc.array(tie('tree'), { minLength: fewest, maxLength: 3 }),
          body: tie('tree'),
          policy: fc.constantFrom(...policies),
        }),
        weight: 3,
      },
    ),
  })).tree;
}

export interface LinkedTasks {
  readonly app: Celeriac;
  /** What ran with what, an id shown as the task that had it. */
  readonly runs: () => string[];
  readonly build: (tree: LinkedTree) => AnySignature;
}

type Run = readonly [task: string, args: readonly unknown[], failedId?: string];

export function linkedTasks(options: AppOptions = {}): LinkedTasks {
  const app = new Celeriac('linked', { logger: silentLogger, ...options });
  const noted: Run[] = [];
  const labels = new Map<string, string>();
  const define = (name: string, end: (args: readonly unknown[], retries: number) => unknown, ignoreResult = false) =>
    app.task(name, { bind: true, ignoreResult, maxRetries: 2 }, (self, ...args: unknown[]): unknown => {
      const { id, task, retries } = self.request;
      // Of a map the items run under its id.
      if (task === name) labels.set(id, `${name} ${JSON.stringify(args)}`);
      noted.push([name, args]);
      if (name === 'flaky' && retries < 2) throw self.retry({ countdown: 60 });
      return end(args, retries);
    });
  const tasks = {
    pack: define('pack', (args) => args),
    silent: define('silent', (args) => args, true),
    flaky: define('flaky', (args) => args),
    bad: define('bad', () => {
      throw new RangeError('bad');
    }),
    reject: define('reject', () => {
      throw new Reject('no');
    }),
    ignore: define('ignore', () => {
      throw new Ignore('no');
    }),
  };
  const one = app.task('one', (id: string) => void noted.push(['one', [], id]));
  const three = app.task('three', (request: { id: string }, error: Error, traceback: string | null) => {
    noted.push(['three', [error.name, typeof traceback], request.id]);
  });
  const errorLink = {
    one: () => one.s(),
    three: () => three.s(),
    chain: () => chain(one.s(), tasks.pack.si('after')),
  } as const;
  const build = (tree: LinkedTree): AnySignature => {
    switch (tree.kind) {
      case 'task': {
        const task = tasks[tree.task];
        let sig: AnySignature & { link: (to: never) => AnySignature; linkError: (to: never) => AnySignature } =
          tree.immutable ? task.si(tree.label) : task.s(tree.label);
        for (const to of tree.links) sig = sig.link(build(to) as never) as typeof sig;
        for (const to of tree.errorLinks) sig = sig.linkError(errorLink[to]() as never) as typeof sig;
        return sig;
      }
      case 'map':
        return tasks.pack.map([tree.label, 'x']);
      case 'starmap':
        return tasks.pack.starmap([[tree.label], ['x', 'y']]);
      case 'chunks':
        return tasks.pack.chunks([[tree.label], ['x', 'y'], ['z']], 2);
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
  const runs = (): string[] =>
    noted
      .map(([task, args, id]) => runOf(task, args, id === undefined ? undefined : (labels.get(id) ?? 'never run')))
      .toSorted((left, right) => (left < right ? -1 : 1));
  return { app, runs, build };
}

export function runOf(task: string, args: readonly unknown[], failed: string | undefined): string {
  return `${task} ${JSON.stringify(args)}${failed === undefined ? '' : ` of ${failed}`}`;
}

/** Every tree within, links left out. */
export function partsOfTree(tree: LinkedTree): LinkedTree[] {
  switch (tree.kind) {
    case 'chain':
      return [tree, ...tree.steps.flatMap(partsOfTree)];
    case 'group':
      return [tree, ...tree.members.flatMap(partsOfTree)];
    case 'chord':
      return [tree, ...tree.header.flatMap(partsOfTree), ...partsOfTree(tree.body)];
    case 'task':
    case 'map':
    case 'starmap':
    case 'chunks':
      return [tree];
    default:
      return tree satisfies never;
  }
}

/** Tasks whose results are the tree's. */
export function lastTasks(tree: LinkedTree): LinkedTree[] {
  if (tree.kind === 'chain') return tree.steps.slice(-1).flatMap(lastTasks);
  if (tree.kind === 'group') return tree.members.flatMap(lastTasks);
  return tree.kind === 'chord' ? lastTasks(tree.body) : [tree];
}
