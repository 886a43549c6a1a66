/** Random programs: trees of tasks, each with a behaviour of its own, and what must come of them. */
import type { Random } from '../../../lib/time.ts';

export type Behaviour =
  | { readonly kind: 'ok' }
  | { readonly kind: 'retry'; readonly times: number }
  | { readonly kind: 'requeue' }
  | { readonly kind: 'slow'; readonly seconds: number }
  | { readonly kind: 'spawn'; readonly children: number }
  | { readonly kind: 'fail' }
  | { readonly kind: 'reject' }
  | { readonly kind: 'ignore' };

export interface Leaf {
  readonly type: 'leaf';
  readonly key: string;
  readonly behaviour: Behaviour;
  readonly task: 'leaf' | 'once' | 'late' | 'ordered';
  readonly countdown?: number;
  readonly expires?: number;
}

export type Tree =
  | Leaf
  | { readonly type: 'chain'; readonly steps: readonly Tree[] }
  | { readonly type: 'group'; readonly members: readonly Tree[] }
  | { readonly type: 'chord'; readonly header: readonly Tree[]; readonly body: Leaf };

export interface Program {
  readonly name: string;
  readonly tree: Tree;
  /** Leaves have ids of their own; otherwise ids follow from the tree. */
  readonly explicitIds: boolean;
  readonly revoke: boolean;
  readonly link: boolean;
}

export class Generator {
  readonly #random: Random;
  #keys = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  int(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  chance(chance: number): boolean {
    return this.#random.next() < chance;
  }

  program(name: string): Program {
    const tree = this.#tree(name, this.chance(0.5) ? 0 : 1 + this.int(3));
    return {
      name,
      tree,
      explicitIds: this.chance(0.5),
      revoke: tree.type === 'leaf' && this.chance(0.05),
      link: this.chance(0.2),
    };
  }

  #tree(name: string, depth: number): Tree {
    if (depth === 0) return this.#leaf(name);
    const count = 1 + this.int(4);
    const trees = (): Tree[] => Array.from({ length: count }, () => this.#tree(name, depth - 1 - this.int(depth)));
    const kind = this.int(3);
    if (kind === 0) return { type: 'chain', steps: trees() };
    if (kind === 1) return { type: 'group', members: trees() };
    return { type: 'chord', header: trees(), body: this.#leaf(name) };
  }

  #leaf(name: string): Leaf {
    this.#keys += 1;
    const task = (['leaf', 'leaf', 'leaf', 'once', 'late', 'ordered'] as const)[this.int(6)] ?? 'leaf';
    return {
      type: 'leaf',
      key: `${name}.${this.#keys}`,
      behaviour: this.#behaviour(),
      task,
      ...(this.chance(0.15) ? { countdown: this.chance(0.5) ? 1 + this.int(60) : 600 + this.int(3000) } : {}),
      ...(this.chance(0.03) ? { expires: 5 } : {}),
    };
  }

  #behaviour(): Behaviour {
    const draw = this.#random.next();
    if (draw < 0.7) return { kind: 'ok' };
    if (draw < 0.78) return { kind: 'retry', times: 1 + this.int(3) };
    if (draw < 0.82) return { kind: 'requeue' };
    if (draw < 0.86) return { kind: 'slow', seconds: 1 + this.int(60) };
    if (draw < 0.9) return { kind: 'spawn', children: 1 + this.int(4) };
    if (draw < 0.95) return { kind: 'fail' };
    return { kind: draw < 0.98 ? 'reject' : 'ignore' };
  }
}

export function leavesOf(tree: Tree): Leaf[] {
  if (tree.type === 'leaf') return [tree];
  if (tree.type === 'chain') return tree.steps.flatMap(leavesOf);
  if (tree.type === 'group') return tree.members.flatMap(leavesOf);
  return [...tree.header.flatMap(leavesOf), tree.body];
}

/** What a leaf returns: it names itself and what it was given, so that a wrong value or order shows. */
export function valueOf(key: string, prev: unknown): string {
  const text = prev === undefined ? '' : JSON.stringify(prev);
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return `${key}(${(hash >>> 0).toString(36)})`;
}
