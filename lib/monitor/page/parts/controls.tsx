/** Buttons, notes, panels: what every view is made of. */
import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';

import { after } from '../data/clock.ts';
import { Icon, type IconName } from './icons.tsx';

interface ButtonProps {
  readonly onClick?: () => void;
  readonly icon?: IconName;
  readonly kind?: 'main' | 'bad' | 'bad-main' | 'bare';
  /** Of a button without a text of its own. */
  readonly label?: string;
  readonly disabled?: boolean;
  readonly title?: string;
  readonly type?: 'button' | 'submit';
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  /** Found by the key r. */
  readonly 'data-retry'?: boolean;
  /** Found by the key Enter on its row. */
  readonly 'data-edit'?: boolean;
  readonly class?: string;
  readonly children?: ComponentChildren;
}

export function Button({
  icon,
  kind,
  label,
  pressed,
  expanded,
  type = 'button',
  class: more = '',
  children,
  ...rest
}: ButtonProps): VNode {
  const isBare = children === undefined;
  return (
    <button
      type={type}
      class={`button${kind === undefined ? '' : ` button-${kind}`}${isBare ? ' button-icon' : ''} ${more}`}
      {...(label === undefined ? {} : { 'aria-label': label, title: label })}
      {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
      {...(expanded === undefined ? {} : { 'aria-expanded': expanded })}
      {...rest}
    >
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}

const COPIED_MS = 1500;

/** Puts text on the clipboard, and says so. */
export function CopyButton({
  text,
  label,
  children,
}: {
  readonly text: string;
  readonly label: string;
  readonly children?: ComponentChildren;
}): VNode {
  const [isCopied, setCopied] = useState(false);
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => {
      setCopied(true);
      after(COPIED_MS, () => setCopied(false));
    });
  };
  return (
    <Button icon={isCopied ? 'check' : 'copy'} kind="bare" label={isCopied ? 'Copied' : label} onClick={copy}>
      {children}
    </Button>
  );
}

interface PanelProps {
  readonly title: ComponentChildren;
  readonly hint?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly class?: string;
  readonly children?: ComponentChildren;
}

export function Panel({ title, hint, actions, class: more = '', children }: PanelProps): VNode {
  return (
    <section class={`panel ${more}`}>
      <header class="panel-head">
        <h2>{title}</h2>
        {hint !== undefined && <span class="hint">{hint}</span>}
        {actions !== undefined && <span class="panel-actions">{actions}</span>}
      </header>
      {children}
    </section>
  );
}

interface NoteProps {
  readonly tone?: 'warn' | 'bad' | 'idle';
  readonly icon?: IconName;
  readonly children: ComponentChildren;
  readonly actions?: ComponentChildren;
}

export function Note({ tone = 'idle', icon = 'info', children, actions }: NoteProps): VNode {
  return (
    <div class={`note note-${tone}`}>
      <Icon name={icon} />
      <div class="grow">{children}</div>
      {actions}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly options: readonly { readonly value: T; readonly text: ComponentChildren; readonly title?: string }[];
  readonly value: T;
  readonly onChoose: (value: T) => void;
}

/** One of a few. */
export function Choice<T extends string>({ label, options, value, onChoose }: ChoiceProps<T>): VNode {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          {...(option.title === undefined ? {} : { title: option.title, 'aria-label': option.title })}
          onClick={() => onChoose(option.value)}
        >
          {option.text}
        </button>
      ))}
    </div>
  );
}

interface FieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly error?: string | undefined;
  readonly children: ComponentChildren;
}

export function Field({ label, hint, error, children }: FieldProps): VNode {
  return (
    <div class="field">
      <label>
        <span>{label}</span>
        {children}
      </label>
      {error !== undefined && <small class="tone-bad">{error}</small>}
      {error === undefined && hint !== undefined && <small>{hint}</small>}
    </div>
  );
}
