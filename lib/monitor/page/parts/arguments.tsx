/** Arguments of a task, typed as JSON. */
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { useLetter } from '../data/queries.ts';
import { jsonText, parseArgs, parseKwargs } from '../pure/json-fields.ts';
import { Field } from './controls.tsx';

export interface TypedArguments {
  readonly args: string;
  readonly kwargs: string;
}

interface ArgumentsForm {
  readonly typed: TypedArguments;
  readonly change: (change: Partial<TypedArguments>) => void;
  /** Undefined while what is typed is no JSON. */
  readonly parsed:
    | { readonly args: readonly unknown[]; readonly kwargs: Readonly<Record<string, unknown>> }
    | undefined;
  /** Those of the letter stand in the fields; undefined while that is not known. */
  readonly isKept: boolean | undefined;
}

const EMPTY: TypedArguments = { args: '[]', kwargs: '{}' };

/** @param kept the dead letter whose message has the arguments to begin with */
export function useArguments(kept?: { readonly id: string; readonly queue: string }): ArgumentsForm {
  const [typed, setTyped] = useState(EMPTY);
  const { data } = useLetter(kept?.id ?? '', kept?.queue ?? '', kept !== undefined);
  const letter = data?.letters[0];
  useEffect(() => {
    if (letter?.args === undefined) return;
    const found = { args: jsonText(letter.args), kwargs: jsonText(letter.kwargs ?? {}) };
    // What somebody has typed before they came stays.
    setTyped((before) => (before === EMPTY ? found : before));
  }, [letter?.messageId]);
  const args = parseArgs(typed.args);
  const kwargs = parseKwargs(typed.kwargs);
  return {
    typed,
    change: (change) => setTyped((before) => ({ ...before, ...change })),
    parsed: 'value' in args && 'value' in kwargs ? { args: args.value, kwargs: kwargs.value } : undefined,
    isKept: data === undefined ? undefined : letter?.args !== undefined,
  };
}

interface FieldsProps {
  readonly typed: TypedArguments;
  readonly onChange: (change: Partial<TypedArguments>) => void;
}

export function ArgumentsFields({ typed, onChange }: FieldsProps): VNode {
  const args = parseArgs(typed.args);
  const kwargs = parseKwargs(typed.kwargs);
  return (
    <>
      <JsonField
        label="Arguments"
        value={typed.args}
        onChange={(value) => onChange({ args: value })}
        error={'error' in args ? args.error : undefined}
        hint="A JSON list, in their order"
      />
      <JsonField
        label="Keyword arguments"
        value={typed.kwargs}
        onChange={(value) => onChange({ kwargs: value })}
        error={'error' in kwargs ? kwargs.error : undefined}
        hint="A JSON object"
      />
    </>
  );
}

interface JsonFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error: string | undefined;
  readonly hint: string;
}

function JsonField({ label, value, onChange, error, hint }: JsonFieldProps): VNode {
  return (
    <Field label={label} hint={hint} error={error}>
      <textarea
        class="input mono"
        rows={3}
        spellcheck={false}
        aria-invalid={error !== undefined}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </Field>
  );
}
