/** Sends a task: a new one, or one again with its arguments, edited. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';

import type { SentAnswer, TaskAnswer } from '../../../answers.ts';
import { act } from '../../data/api.ts';
import { ArgumentsFields, useArguments } from '../../parts/arguments.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { CopyButton, Field } from '../../parts/controls.tsx';
import { BLOCK_CHARACTERS, Hostile } from '../../parts/text.tsx';
import { tell } from '../../parts/toast.tsx';
import { plainText } from '../../pure/hostile-text.ts';
import { callCommand, jsonText } from '../../pure/json-fields.ts';

interface CallProps {
  readonly name: string;
  /** The task that this one is sent instead of. */
  readonly insteadOf?: TaskAnswer;
  /** JSON Schema of its arguments, where there is one. */
  readonly schema?: unknown;
  readonly onClose: () => void;
}

export function CallDialog({ name, insteadOf, schema, onClose }: CallProps): VNode {
  const [, go] = useLocation();
  // The message of a dead letter still has its arguments.
  const isDead = insteadOf?.story?.deadLetter != null;
  const form = useArguments(isDead ? { id: insteadOf.id, queue: insteadOf.queue ?? '' } : undefined);
  const [countdown, setCountdown] = useState('');
  const seconds = countdown.trim() === '' ? 0 : Number(countdown);
  const parsed = Number.isFinite(seconds) && seconds >= 0 ? form.parsed : undefined;
  const send = async (): Promise<void> => {
    if (parsed === undefined) return;
    const { id, duplicate } = await act<SentAnswer>('/api/tasks', {
      task: name,
      args: parsed.args,
      ...(Object.keys(parsed.kwargs).length === 0 ? {} : { kwargs: parsed.kwargs }),
      ...(seconds > 0 ? { countdown: seconds } : {}),
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
      {insteadOf !== undefined && <Shown repr={insteadOf.story?.attempts.at(-1)?.repr ?? null} />}
      <ArgumentsFields typed={form.typed} onChange={form.change} />
      <Field label="Delay, seconds" hint="Empty: now">
        <input
          class="input"
          inputMode="decimal"
          value={countdown}
          onInput={(event) => setCountdown(event.currentTarget.value)}
        />
      </Field>
      {schema !== undefined && <SchemaNote schema={schema} />}
    </Confirm>
  );
}

function Shown({ repr }: { readonly repr: string | null }): VNode | null {
  return repr === null ? null : (
    <p class="hint">
      It was called with <Hostile class="repr" text={repr} most={300} />
    </p>
  );
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
