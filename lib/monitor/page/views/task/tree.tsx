import type { VNode } from 'preact';
import { Link } from 'wouter-preact';

import type { RelativeView, TreeAnswer } from '../../../answers.ts';
import { useTree } from '../../data/queries.ts';
import { Badge } from '../../parts/badge.tsx';
import { Panel } from '../../parts/controls.tsx';
import { Hostile } from '../../parts/text.tsx';
import { isFinal } from '../../pure/states.ts';
import { counted, shortId } from '../../pure/words.ts';

/** The task that sent it, and those that it sent. */
export function Tree({ id }: { readonly id: string }): VNode | null {
  const { data } = useTree(id);
  if (data === undefined || (data.parent === null && data.children.length === 0)) return null;
  return (
    <Panel title="Family" hint={progress(data)}>
      {data.children.length > 0 && <Progress tree={data} />}
      <div class="tree">
        {data.parent !== null && <Node node={data.parent} kind="sent by" />}
        <ul>
          <li>
            <Node node={data.self} isThis />
            {data.children.length > 0 && (
              <ul>
                {data.children.map((child) => (
                  <li key={child.id}>
                    <Node node={child} />
                  </li>
                ))}
              </ul>
            )}
          </li>
        </ul>
        {data.more && <p class="hint">The first 100 are shown.</p>}
      </div>
    </Panel>
  );
}

function progress({ children }: TreeAnswer): string | undefined {
  if (children.length === 0) return undefined;
  const done = children.filter(({ state }) => isFinal(state)).length;
  const failed = children.filter(({ state }) => state === 'FAILURE' || state === 'REJECTED').length;
  return `${done} of ${counted(children.length, 'task')} done${failed === 0 ? '' : `, ${failed} failed`}`;
}

function Progress({ tree: { children } }: { readonly tree: TreeAnswer }): VNode {
  const of = (states: readonly string[]): number => children.filter(({ state }) => states.includes(state)).length;
  const width = (part: number) => ({ style: { width: `${(part / children.length) * 100}%` } });
  return (
    <div class="meter meter-wide" aria-hidden="true">
      <i class="fill-ok" {...width(of(['SUCCESS']))} />
      <i class="fill-bad" {...width(of(['FAILURE', 'REJECTED']))} />
    </div>
  );
}

interface NodeProps {
  readonly node: RelativeView;
  readonly kind?: string;
  readonly isThis?: boolean;
}

function Node({ node, kind, isThis = false }: NodeProps): VNode {
  const name = <Hostile text={node.name ?? shortId(node.id)} most={80} title />;
  return (
    <div class={`node${isThis ? ' node-this' : ''}`}>
      {kind !== undefined && <span class="faint">{kind}</span>}
      {isThis ? (
        <span class="name cut grow">{name}</span>
      ) : (
        <Link class="name cut grow" href={`/tasks/${encodeURIComponent(node.id)}`}>
          {name}
        </Link>
      )}
      <Badge state={node.state} />
    </div>
  );
}
