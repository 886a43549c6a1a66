import type { VNode } from 'preact';

import { sparkPath } from '../pure/series.ts';

/** The shape of a line, without numbers: those stand beside it. */
export function Spark({ values, tone }: { readonly values: readonly number[]; readonly tone?: 'warn' | 'bad' }): VNode {
  const { line, area } = sparkPath(values);
  return (
    <svg class={`spark${tone === undefined ? '' : ` tone-${tone}`}`} viewBox="0 0 96 24" aria-hidden="true">
      <path class="spark-area" d={area} />
      <path class="spark-line" d={line} />
    </svg>
  );
}
