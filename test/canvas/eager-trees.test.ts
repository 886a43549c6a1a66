/** One tree run in the caller, by workers in virtual time, and in Celery's own eager mode: all end alike. */
import type { AnySignature, AsyncResult, GroupResult } from 'celeriac';
import { World } from 'celeriac/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isGroup, type Sent, statesOf } from '../support/canvas-world.ts';
import { outcomeOf } from '../support/canvas-trees.ts';
import {
  lastTasks,
  LEAVES,
  type LinkedTree,
  linkedTasks,
  linkedTrees,
  partsOfTree,
  runOf,
} from '../support/linked-trees.ts';
import { askPython, reasonToSkip } from '../support/python.ts';
import { refusing } from '../support/refusing-ports.ts';

type Sendable = AnySignature & { apply(): Promise<Sent>; delay(): Promise<Sent> };

interface End {
  readonly value: unknown;
  /** Of the result, or of each member. */
  readonly states: readonly string[];
  readonly runs: readonly string[];
}

async function endOf(result: Sent, runs: readonly string[], ignored: ReadonlySet<string> = new Set()): Promise<End> {
  const members: readonly AsyncResult[] = isGroup(result) ? (result as GroupResult).results : [result as AsyncResult];
  return {
    value: (await outcomeOf(result, ignored)) ?? null,
    states: await Promise.all(members.map((member) => member.state())),
    runs,
  };
}

async function eagerEnd(tree: LinkedTree, alwaysEager: boolean): Promise<End> {
  const { app, build, runs } = linkedTasks({ alwaysEager });
  app.use(refusing());
  const sig = build(tree) as Sendable;
  const result = await (alwaysEager ? sig.delay() : sig.apply());
  return endOf(result, runs());
}

async function workedEnd(tree: LinkedTree): Promise<End> {
  const { app, build, runs } = linkedTasks();
  using world = new World(app, { patienceMs: 0 });
  const result = await (build(tree) as Sendable).delay();
  await world.drain();
  const silent = world.backend.all().filter(({ status, ignored }) => status === 'IGNORED' || ignored === true);
  expect([...statesOf(world).values()].filter((state) => state.startsWith('open'))).toEqual([]);
  const end = await endOf(result, runs(), new Set(silent.map(({ id }) => id)));
  return end;
}

const leafOf =
  (...names: readonly string[]) =>
  (tree: LinkedTree): boolean =>
    tree.kind === 'task' && names.includes(tree.task);

// The error link of a body that fails fast is called by each batch with a member that fails: at least once.
const runsOf = (tree: LinkedTree, { runs }: End): readonly string[] =>
  partsOfTree(tree).some((part) => part.kind === 'chord' && part.policy === 'failFast')
    ? runs.filter((run, index) => !run.startsWith('three') || runs.indexOf(run) === index)
    : runs;

describe('a tree run eagerly', () => {
  it('ends as workers end it, with apply() and with alwaysEager', async () => {
    const shape = {
      tasks: LEAVES,
      errorLinks: ['one', 'three', 'chain'],
      policies: ['celery', 'failFast', 'settled'],
      fewest: 0,
    } as const;
    await fc.assert(
      fc.asyncProperty(linkedTrees(shape), fc.boolean(), async (tree, alwaysEager) => {
        const [eager, worked] = [await eagerEnd(tree, alwaysEager), await workedEnd(tree)];
        expect(runsOf(tree, eager)).toEqual(runsOf(tree, worked));
        // Nothing of such a result is stored for others, and its own caller has it.
        if (lastTasks(tree).some(leafOf('silent', 'ignore'))) return;
        expect([eager.value, eager.states]).toEqual([worked.value, worked.states]);
      }),
      { numRuns: 60 },
    );
  });
});

interface Answer {
  readonly error?: string;
  readonly raised: boolean;
  readonly value: unknown;
  readonly states: readonly string[];
  readonly runs: readonly (readonly [task: string, args: readonly unknown[], failedId: string | null])[];
  readonly labels: Readonly<Record<string, readonly [task: string, args: readonly unknown[]]>>;
}

function celerysEnd({ value, states, runs, labels }: Answer): End {
  const named = (id: string): string => {
    const label = labels[id];
    return label === undefined ? 'never run' : runOf(label[0], label[1], undefined);
  };
  const lines = runs.map(([task, args, id]) => runOf(task, args, id === null ? undefined : named(id)));
  return { value, states, runs: lines.toSorted((left, right) => (left < right ? -1 : 1)) };
}

/** A chain of one step is that step. */
function bare(tree: LinkedTree): LinkedTree {
  const [only] = tree.kind === 'chain' ? tree.steps : [];
  return tree.kind === 'chain' && tree.steps.length === 1 && only !== undefined ? bare(only) : tree;
}

const kindsOf = (trees: readonly LinkedTree[]): readonly string[] => trees.map((tree) => bare(tree).kind);
const isGroupOfOne = (tree: LinkedTree): boolean => {
  const group = bare(tree);
  return group.kind === 'group' && group.members.length === 1;
};

function membersOf(tree: LinkedTree): readonly LinkedTree[] {
  if (tree.kind === 'group') return tree.members;
  return tree.kind === 'chord' ? tree.header : [];
}

function endsInGroup(tree: LinkedTree): boolean {
  if (tree.kind === 'chain') return tree.steps.slice(-1).some(endsInGroup);
  return tree.kind === 'chord' ? endsInGroup(tree.body) : tree.kind === 'group' || tree.kind === 'chunks';
}

/** What Celery's canvas does otherwise, eagerly or not; docs/tasks.md tells how its eager mode differs. */
const DIFFERENT: Readonly<Record<string, (tree: LinkedTree) => boolean>> = {
  'the results of a group in a group come in another order': (tree) =>
    kindsOf(membersOf(tree)).some((kind) => kind === 'group' || kind === 'chunks'),
  'a member that ends in a group stands for its members, and fails by halves': (tree) =>
    membersOf(tree).some(endsInGroup),
  'a group of one in a chain is its member': (tree) => tree.kind === 'chain' && tree.steps.some(isGroupOfOne),
  'a chain or a chord in a chain, or as a body, may lose what it is given': (tree) => {
    const given =
      tree.kind === 'chain' && tree.steps.length > 1 ? tree.steps : tree.kind === 'chord' ? [tree.body] : [];
    return kindsOf(given).some((kind) => kind === 'chain' || kind === 'chord');
  },
};

const reason = reasonToSkip("Celery's eager mode");

describe.skipIf(reason !== undefined)("Celery's eager mode", () => {
  it('ends alike, but for what is listed here', async () => {
    const shape = {
      tasks: ['pack', 'silent', 'flaky', 'bad'],
      errorLinks: ['one', 'three'],
      policies: ['celery'],
      fewest: 1,
    } as const;
    const some = fc
      .sample(linkedTrees(shape), { numRuns: 500, seed: 20_261_121 })
      .filter((tree) => !partsOfTree(tree).some((part) => Object.values(DIFFERENT).some((differs) => differs(part))));
    const script = new URL('python_eager.py', import.meta.url);
    const answers = await askPython<Answer>(
      script,
      some.map((tree) => ({ tree })),
    );
    const compared = { raised: 0, whole: 0 };
    for (const [index, answer] of answers.entries()) {
      const tree = some[index] as LinkedTree;
      const shown = JSON.stringify(tree);
      expect([answer.error, shown]).toEqual([undefined, shown]);
      const [ours, theirs] = [await eagerEnd(tree, true), celerysEnd(answer)];
      compared[answer.raised ? 'raised' : 'whole'] += 1;
      // There an error in a chain or a header leaves the call, and nothing that stood beside it or after it runs.
      if (answer.raised) expect([without(theirs.runs, ours.runs), shown]).toEqual([[], shown]);
      else expect([ours, shown]).toEqual([theirs, shown]);
    }
    expect(compared.raised).toBeGreaterThan(5);
    expect(compared.whole).toBeGreaterThan(150);
  });
});

/** What of the first is not in the second. */
function without(runs: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return runs.filter((run) => {
    const at = left.indexOf(run);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
