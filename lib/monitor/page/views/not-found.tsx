import type { VNode } from 'preact';
import { Link } from 'wouter-preact';

import { Note } from '../parts/controls.tsx';
import { View } from '../parts/view.tsx';

export function NotFoundView(): VNode {
  return (
    <View title="Nothing here" live={false}>
      <Note>
        This page has no such address. <Link href="/">Overview</Link>
      </Note>
    </View>
  );
}
