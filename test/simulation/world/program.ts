/** Random programs: trees of tasks, each with a behaviour of its own, from which follows what must come of it. */
import type { Random } from '../../../lib/base/time.ts';
import type { InstanceName } from './instances.ts';
import { REFUSAL_ERRORS, type Refusal, type RefusedAt } from './refusals.ts';

export type Behaviour =
  | { readonly kind: 'ok' }
  /** Asks for `times` retries, each after twice the time of the one before. */
  | { readonly kind: 'retry'; readonly times: number; readonly seconds: number; readonly own: boolean }
  /** Throws what `autoretryFor` names, `times` times. */
  | { readonly kind: 'flaky'; readonly times: number }
  | { readonly kind: 'requeue' }
  | { readonly kind: 'slow'; readonly seconds: number }
  /** Takes long, and is ended by its signal, or by the answer to its progress. */
  | { readonly kind: 'long'; readonly seconds: number; readonly heeds: 'signal' | 'progress' | 'nothing' }
  | { readonly kind: 'spawn'; readonly children: number }
  /** Takes its worker along, `times` times. */
  | { readonly kind: 'die'; readonly times: number }
  | { readonly kind: 'fail' }
  | { readonly kind: 'reject' }
  | { readonly kind: 'ignore' };

export type TaskName = 'leaf' | 'once' | 'late' | 'ordered' | 'gone' | 'poison' | 'lane' | 'changed' | InstanceName;

export interface Leaf {
  readonly type: 'leaf';
  readonly key: string;
  readonly behaviour: Behaviour;
  readonly task: TaskName;
  readonly countdown?: number;
  readonly expires?: number;
  readonly ignoreResult?: boolean;
  /** 0 is the most urgent. */
  readonly priority?: number;
  /** Its FIFO group. */
  readonly groupKey?: string;
}

export type Policy = 'celery' | 'failFast' | 'settled';

export type Tree =
  | Leaf
  | { readonly type: 'chain'; readonly steps: readonly Tree[] }
  | { readonly type: 'group'; readonly members: readonly Tree[] }
  | { readonly type: 'chord'; readonly header: readonly Tree[]; readonly body: Leaf; readonly policy: Policy };

export interface Program {
  readonly name: string;
  readonly tree: Tree;
  /** Leaves have ids of their own; otherwise ids follow from the tree. */
  readonly explicitIds: boolean;
  /** One leaf is revoked, so many seconds after the program was sent. */
  readonly revoke?: { readonly key: string; readonly afterSeconds: number; readonly terminate?: true };
  /** Each leaf has a link, and an error link. */
  readonly link: boolean;
  /** Its sender dies after so many requests. */
  readonly torn?: number;
  /** What a service refuses of one leaf for good. */
  readonly refused?: { readonly key: string; readonly refusal: Refusal };
  /** A chord that Python has sent: Celery's own groups count its members. */
  readonly python?: true;
}

export type Chord = Extract<Tree, { readonly type: 'chord' }>;

export const MAX_RETRIES = 5;
export const MAX_DELIVERIES = 5;

const FIFO_GROUPS = 4;
// As often as all others together.
const MARK: readonly RefusedAt[] = ['mark', 'mark', 'mark', 'mark'];
const LARGE = [63, 64, 65, 100, 129, 200] as const;

export class Generator {
  readonly #random: Random;
  readonly #wide: boolean;
  #keys = 0;
  #programs = 0;
  #largeAt: number;

  /** @param wide also what needs a world of its own: senders and workers that die, hours of retries */
  constructor(random: Random, wide = false) {
    this.#random = random;
    this.#wide = wide;
    this.#largeAt = wide ? this.int(50) : -1;
  }

  int(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  chance(chance: number): boolean {
    return this.#random.next() < chance;
  }

  program(name: string): Program {
    const large = this.#programs === this.#largeAt;
    this.#programs += 1;
    const python = this.#wide && !large && this.chance(0.08);
    const tree = large
      ? this.#large(name)
      : python
        ? this.#celeryChord(name)
        : this.#tree(name, this.chance(0.5) ? 0 : 1 + this.int(3));
    const explicitIds = python || this.chance(0.6);
    const leaves = leavesOf(tree);
    const target = leaves[this.int(leaves.length)];
    const single = tree.type === 'leaf';
    const revoked = target !== undefined && (single || (this.#wide && explicitIds)) && this.chance(0.06);
    const refused = this.#wide && explicitIds && !revoked && this.chance(0.08) ? this.#refused(tree) : undefined;
    const torn = this.#wide && !python && refused === undefined && leaves.length > 1 && this.chance(large ? 0.5 : 0.15);
    return {
      name,
      tree,
      explicitIds,
      ...(revoked && !torn
        ? { revoke: { key: target.key, afterSeconds: this.chance(0.5) ? 0 : this.int(this.chance(0.5) ? 20 : 2000) } }
        : {}),
      link: this.chance(0.2) && !large,
      ...(torn ? { torn: this.int(leaves.length + 2) } : {}),
      ...(python ? { python } : {}),
      ...(refused === undefined ? {} : { refused }),
    };
  }

  #refused(tree: Tree): Program['refused'] {
    // Who is first to tell that another member failed is left to `failFast`.
    const isCounted = tree.type === 'chord' && tree.policy !== 'failFast';
    const members = isCounted ? tree.header.filter((member) => member.type === 'leaf') : [];
    const points: readonly RefusedAt[] = ['claim', 'outcome', 'commit', 'send', ...(members.length > 0 ? MARK : [])];
    const at = points[this.int(points.length)] ?? 'claim';
    const leaves = at === 'mark' ? members : at === 'send' ? leavesOf(tree).filter(isSentByWorkers) : leavesOf(tree);
    const leaf = leaves[this.int(leaves.length)];
    const errors = REFUSAL_ERRORS[at];
    const error = errors[this.int(errors.length)] ?? '';
    return leaf === undefined ? undefined : { key: leaf.key, refusal: { at, error } };
  }

  /** A chord, a group, or a group with a step behind it, which is a chord too. */
  #large(name: string): Tree {
    const header = Array.from({ length: LARGE[this.int(LARGE.length)] ?? 65 }, () => this.#plain(name));
    const shape = this.int(8);
    if (shape === 0) return { type: 'group', members: header };
    if (shape === 1) return { type: 'chain', steps: [{ type: 'group', members: header }, this.#leaf(name)] };
    return { type: 'chord', header, body: this.#leaf(name), policy: this.#policy() };
  }

  #celeryChord(name: string): Chord {
    const header = Array.from({ length: 1 + this.int(6) }, () => this.#leaf(name));
    return { type: 'chord', header, body: this.#leaf(name), policy: 'celery' };
  }

  #tree(name: string, depth: number): Tree {
    if (depth === 0) return this.#leaf(name);
    const count = 1 + this.int(4);
    const trees = (): Tree[] => Array.from({ length: count }, () => this.#tree(name, depth - 1 - this.int(depth)));
    const kind = this.int(3);
    if (kind === 0) return { type: 'chain', steps: trees() };
    if (kind === 1) return { type: 'group', members: trees() };
    return { type: 'chord', header: trees(), body: this.#leaf(name), policy: this.#policy() };
  }

  #policy(): Policy {
    if (!this.#wide || this.chance(0.6)) return 'celery';
    return this.chance(0.5) ? 'failFast' : 'settled';
  }

  #plain(name: string): Leaf {
    this.#keys += 1;
    const behaviour: Behaviour = this.chance(0.98) ? { kind: 'ok' } : this.#behaviour('leaf');
    const ignored = this.chance(0.15) ? { ignoreResult: true } : {};
    return { type: 'leaf', key: `${name}.${this.#keys}`, behaviour, task: 'leaf', ...ignored };
  }

  #leaf(name: string): Leaf {
    this.#keys += 1;
    const task = this.#task();
    return {
      type: 'leaf',
      key: `${name}.${this.#keys}`,
      behaviour: this.#behaviour(task),
      task,
      ...(this.chance(0.15) ? { countdown: this.chance(0.5) ? 1 + this.int(60) : 600 + this.int(3000) } : {}),
      // Some of them expire while they wait, some only if something holds them up.
      ...(this.chance(0.05) ? { expires: this.chance(0.7) ? 5 : 900 } : {}),
      ...(this.#wide && this.chance(0.15) ? { ignoreResult: true } : {}),
      ...(task === 'ordered' ? { groupKey: `customer-${this.int(FIFO_GROUPS)}` } : {}),
    };
  }

  #task(): TaskName {
    if (this.#wide && this.chance(0.008)) return this.chance(0.5) ? 'gone' : 'poison';
    return (['leaf', 'leaf', 'leaf', 'once', 'late', 'ordered'] as const)[this.int(6)] ?? 'leaf';
  }

  #behaviour(task: TaskName): Behaviour {
    const draw = this.#random.next();
    if (draw < 0.68) return { kind: 'ok' };
    if (draw < 0.76) return this.#retry();
    if (draw < 0.78) return { kind: 'flaky', times: 1 + this.int(this.#wide ? 7 : 3) };
    if (draw < 0.82) return { kind: 'requeue' };
    if (draw < 0.86) return { kind: 'slow', seconds: 1 + this.int(60) };
    if (draw < 0.9) return { kind: 'spawn', children: 1 + this.int(4) };
    if (draw < 0.94) return { kind: 'fail' };
    // What holds up a FIFO group for half an hour says little that a shorter one does not.
    if (draw < 0.952 && this.#wide) return { kind: 'die', times: task === 'ordered' ? 1 : 1 + this.int(7) };
    return { kind: draw < 0.98 ? 'reject' : 'ignore' };
  }

  #retry(): Behaviour {
    const own = this.chance(0.5);
    if (!this.#wide || this.chance(0.5)) return { kind: 'retry', times: 1 + this.int(3), seconds: 1, own };
    return { kind: 'retry', times: 1 + this.int(7), seconds: this.chance(0.5) ? 2 : 1800, own };
  }
}

/** None of its messages is ever a timer: what is refused of one ends without a message that could tell what follows. */
function isSentByWorkers({ task, behaviour, countdown }: Leaf): boolean {
  const isLong = behaviour.kind === 'retry' && behaviour.seconds > 2;
  return task !== 'ordered' && countdown === undefined && !isLong;
}

export function leavesOf(tree: Tree): Leaf[] {
  if (tree.type === 'leaf') return [tree];
  if (tree.type === 'chain') return tree.steps.flatMap(leavesOf);
  if (tree.type === 'group') return tree.members.flatMap(leavesOf);
  return [...tree.header.flatMap(leavesOf), tree.body];
}

/** A chain of one is its step. */
export function isGroup(tree: Tree): boolean {
  const [only] = tree.type === 'chain' ? tree.steps : [];
  if (tree.type === 'chain' && tree.steps.length === 1 && only !== undefined) return isGroup(only);
  return tree.type === 'group';
}

/** What a leaf returns: it names itself and what it was given, so that a wrong value or order shows. */
export function valueOf(key: string, prev: unknown): string {
  const text = prev === undefined ? '' : JSON.stringify(prev);
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return `${key}(${(hash >>> 0).toString(36)})`;
}
