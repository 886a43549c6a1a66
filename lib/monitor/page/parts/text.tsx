/** Text that tasks wrote, and times. */
import type { VNode } from 'preact';

import { nowMs, useNow } from '../data/clock.ts';
import { plainText, safeText } from '../pure/hostile-text.ts';
import { clockTime, exactUtc, fromNow, instant, UNKNOWN } from '../pure/words.ts';

// Of one line in a list, and of a block that scrolls.
const LINE_CHARACTERS = 300;
export const BLOCK_CHARACTERS = 20_000;

interface HostileProps {
  readonly text: string;
  readonly most?: number;
  readonly class?: string;
  readonly title?: boolean;
}

/** Isolated, cut, control characters named. */
export function Hostile({ text, most = LINE_CHARACTERS, class: name, title = false }: HostileProps): VNode {
  const { pieces, left } = safeText(text, most);
  return (
    <bdi
      dir="ltr"
      {...(name === undefined ? {} : { class: name })}
      {...(title ? { title: plainText(text, 1000) } : {})}
    >
      {pieces.map((piece, index) =>
        'text' in piece ? (
          piece.text
        ) : (
          <span key={index} class="control-mark">
            {piece.codePoint}
          </span>
        ),
      )}
      {left > 0 && '…'}
    </bdi>
  );
}

/** `42 s ago`, with the whole time in its title. */
export function Ago({ at }: { readonly at: string | null | undefined }): VNode {
  const now = useNow();
  if (at === null || at === undefined) return <span class="faint">{UNKNOWN}</span>;
  return (
    <time dateTime={at} title={exactUtc(at)}>
      {fromNow(instant(at), now)}
    </time>
  );
}

/** `12:04:50`: where times are compared. */
export function At({ at }: { readonly at: string | null | undefined }): VNode {
  if (at === null || at === undefined) return <span class="faint">{UNKNOWN}</span>;
  return (
    <time dateTime={at} title={exactUtc(at)}>
      {clockTime(at, nowMs())}
    </time>
  );
}

/** A number that is quiet where it is 0. */
export function Quiet({
  value,
  text,
  tone,
}: {
  readonly value: number;
  readonly text: string;
  readonly tone?: 'warn' | 'bad';
}): VNode {
  const name = value === 0 ? 'faint' : tone === undefined ? '' : `tone-${tone} strong`;
  return <span class={name}>{text}</span>;
}
