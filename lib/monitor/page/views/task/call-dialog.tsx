/** Sends a task: a new one, or one again with its arguments, edited. */
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';

import type { SentAnswer, TaskAnswer } from '../../../answers.ts';
import { act } from '../../data/api.ts';
import { useLetter } from '../../data/queries.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { CopyButton, Field } from '../../parts/controls.tsx';
import { BLOCK_CHARACTERS, Hostile } from '../../parts/text.tsx';
import { tell } from '../../parts/toast.tsx';
import { plainText } from '../../pure/hostile-text.ts';
import { callCommand, jsonText, parseArgs, parseKwargs } from '../../pure/json-fields.ts';

interface CallProps {
  readonly name: string;
  /** The task that this one is sent instead of. */
  readonly insteadOf?: TaskAnswer;
  /** JSON Schema of its arguments, where there is one. */
  readonly schema?: unknown;
  readonly onClose: () => void;
}

/** What is typed, and what it says. */
function useCallForm() {
  const [args, setArgs] = useState('[]');
  const [kwargs, setKwargs] = useState('{}');
  const [countdown, setCountdown] = useState('');
  const parsedArgs = parseArgs(args);
  const parsedKwargs = parseKwargs(kwargs);
  const seconds = countdown.trim() === '' ? 0 : Number(countdown);
  const parsed =
    'value' in parsedArgs && 'value' in parsedKwargs && Number.isFinite(seconds) && seconds >= 0
      ? { args: parsedArgs.value, kwargs: parsedKwargs.value, seconds }
      : undefined;
  return { args, setArgs, kwargs, setKwargs, countdown, setCountdown, parsedArgs, parsedKwargs, parsed };
}
type CallForm = ReturnType<typeof useCallForm>;

export function CallDialog({ name, insteadOf, schema, onClose }: CallProps): VNode {
  const [, go] = useLocation();
  const form = useCallForm();
  const { parsed, setArgs, setKwargs } = form;
  const send = async (): Promise<void> => {
    if (parsed === undefined) return;
    const { id, duplicate } = await act<SentAnswer>('/api/tasks', {
      task: name,
      args: parsed.args,
      ...(Object.keys(parsed.kwargs).length === 0 ? {} : { kwargs: parsed.kwargs }),
      ...(parsed.seconds > 0 ? { countdown: parsed.seconds } : {}),
      ...(insteadOf === undefined ? {} : { insteadOf: insteadOf.id }),
    });
    tell(duplicate ? 'Nothing was sent: another task stands for this call.' : `${plainText(name, 60)} was sent.`);
    go(`/tasks/${encodeURIComponent(id)}`);
  };
  return (
    <Confirm
      title={<Hostile text={`${insteadOf === undefined ? 'Send' : 'Run again'} ${name}`} most={120} />}
      button={insteadOf === undefined ? 'Send the task' : 'Run it again'}
      isReady={parsed !== undefined}
      hint={
        parsed !== undefined && (
          <CopyButton text={callCommand(name, parsed.args, parsed.kwargs)} label="Copy as command" />
        )
      }
      onConfirm={send}
      onClose={onClose}
    >
      {insteadOf?.story?.deadLetter != null && (
        <KeptArguments
          task={insteadOf}
          onFound={(found) => {
            setArgs(jsonText(found.args));
            setKwargs(jsonText(found.kwargs));
          }}
        />
      )}
      {insteadOf !== undefined && <Shown repr={insteadOf.story?.attempts.at(-1)?.repr ?? null} />}
      <CallFields form={form} />
      {schema !== undefined && <SchemaNote schema={schema} />}
    </Confirm>
  );
}

function CallFields({ form }: { readonly form: CallForm }): VNode {
  const { args, setArgs, kwargs, setKwargs, countdown, setCountdown, parsedArgs, parsedKwargs } = form;
  return (
    <>
      <JsonField
        label="Arguments"
        value={args}
        onChange={setArgs}
        error={'error' in parsedArgs ? parsedArgs.error : undefined}
        hint="A JSON list, in their order"
      />
      <JsonField
        label="Keyword arguments"
        value={kwargs}
        onChange={setKwargs}
        error={'error' in parsedKwargs ? parsedKwargs.error : undefined}
        hint="A JSON object"
      />
      <Field label="Delay, seconds" hint="Empty: now">
        <input
          class="input"
          inputMode="decimal"
          value={countdown}
          onInput={(event) => setCountdown(event.currentTarget.value)}
        />
      </Field>
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

export function JsonField({ label, value, onChange, error, hint }: JsonFieldProps): VNode {
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

function Shown({ repr }: { readonly repr: string | null }): VNode | null {
  return repr === null ? null : (
    <p class="hint">
      It was called with <Hostile class="repr" text={repr} most={300} />
    </p>
  );
}

interface Kept {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** The message of a dead letter still has them. */
function KeptArguments({
  task,
  onFound,
}: {
  readonly task: TaskAnswer;
  readonly onFound: (found: Kept) => void;
}): null {
  const { data } = useLetter(task.id, task.queue ?? '');
  const letter = data?.letters[0];
  useEffect(() => {
    if (letter?.args !== undefined) onFound({ args: letter.args, kwargs: letter.kwargs ?? {} });
    // Once, when they have come: what is typed meanwhile stays afterwards.
  }, [letter?.messageId]);
  return null;
}

function SchemaNote({ schema }: { readonly schema: unknown }): VNode {
  return (
    <details>
      <summary>Schema of its arguments</summary>
      <pre class="code" tabIndex={0} aria-label="Schema">
        <Hostile text={jsonText(schema)} most={BLOCK_CHARACTERS} />
      </pre>
    </details>
  );
}
