/** An entry, new or changed, with a preview while it is typed. */
import { useQueryClient } from '@tanstack/preact-query';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';

import type { ScheduleView } from '../../../answers.ts';
import { act, ApiProblem } from '../../data/api.ts';
import { useCatalogue } from '../../data/queries.ts';
import { ArgumentsFields } from '../../parts/arguments.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { Choice, Field, Note } from '../../parts/controls.tsx';
import { Ago } from '../../parts/text.tsx';
import { tell } from '../../parts/toast.tsx';
import { plainText } from '../../pure/hostile-text.ts';
import { parseArgs, parseKwargs } from '../../pure/json-fields.ts';
import { EMPTY_FORM, type FormKind, formOf, type ScheduleForm, scheduleFrom } from '../../pure/schedule-words.ts';
import { SchedulePreview } from './preview.tsx';

interface EditorProps {
  /** Absent for a new one. */
  readonly entry?: ScheduleView;
  readonly onClose: () => void;
}

/** What PUT takes: the entry with what was typed; fields that the form does not show stay. */
export function bodyFrom(form: ScheduleForm, entry: ScheduleView | undefined): Record<string, unknown> | undefined {
  const args = parseArgs(form.args);
  const kwargs = parseKwargs(form.kwargs);
  if (!('value' in args) || !('value' in kwargs) || form.name.trim() === '' || form.task.trim() === '')
    return undefined;
  const kept =
    entry === undefined
      ? {}
      : {
          options: entry.options,
          enabled: entry.enabled,
          oneOff: entry.oneOff,
          startTime: entry.startTime,
          expires: entry.expires,
          catchUp: entry.catchUp,
          startingDeadline: entry.startingDeadline,
          customTask: entry.customTask,
        };
  return {
    ...kept,
    task: form.task.trim(),
    schedule: scheduleFrom(form, entry?.schedule),
    args: args.value,
    kwargs: kwargs.value,
    description: form.description,
  };
}

export function ScheduleEditor({ entry, onClose }: EditorProps): VNode {
  const client = useQueryClient();
  const start = entry === undefined ? EMPTY_FORM : formOf(entry);
  const [form, setForm] = useState<ScheduleForm>(start ?? EMPTY_FORM);
  const [isConflict, setConflict] = useState(false);
  const body = bodyFrom(form, entry);
  const save = async (): Promise<void> => {
    if (body === undefined) return;
    try {
      const name = form.name.trim();
      const renamed = entry !== undefined && name !== entry.name ? await rename(entry, name) : entry;
      const which = renamed === undefined ? { createOnly: true } : { version: renamed.version };
      await act(`/api/schedules/${encodeURIComponent(name)}`, { ...body, ...which }, 'PUT');
      tell(`${plainText(form.name, 80)} is saved.`);
    } catch (error) {
      if (error instanceof ApiProblem && error.code === 'SCHEDULE_CONFLICT') {
        setConflict(true);
        void client.invalidateQueries();
      }
      throw error;
    }
  };
  return (
    <Confirm
      title={entry === undefined ? 'New schedule' : `Edit ${plainText(entry.name, 80)}`}
      button="Save"
      wide
      isReady={body !== undefined && start !== undefined}
      hint={
        entry !== undefined && (
          <>
            Version {entry.version}, changed <Ago at={entry.changedAt} />
            {entry.changedBy !== null && ` by ${plainText(entry.changedBy, 80)}`}
          </>
        )
      }
      onConfirm={save}
      onClose={onClose}
    >
      {isConflict && (
        <Note tone="warn" icon="warning">
          Somebody else has changed it meanwhile. Close this, look at theirs, and choose what is to stand: nothing of
          yours was saved.
        </Note>
      )}
      {start === undefined ? (
        <Note>Times of the sun are changed in code: the form has no map.</Note>
      ) : (
        <div class="dialog-columns">
          <Fields
            form={form}
            isNamed={entry?.source === 'code'}
            onChange={(change) => setForm((before) => ({ ...before, ...change }))}
          />
          <SchedulePreview name={form.name.trim()} form={form} body={body} />
        </div>
      )}
    </Confirm>
  );
}

/** Its counts go on under the new name. */
function rename({ name, version }: ScheduleView, to: string): Promise<ScheduleView> {
  return act<ScheduleView>(`/api/schedules/${encodeURIComponent(name)}/rename`, { version, to });
}

interface FieldsProps {
  readonly form: ScheduleForm;
  /** Its name stands in the code. */
  readonly isNamed: boolean;
  readonly onChange: (change: Partial<ScheduleForm>) => void;
}

const KINDS: readonly { readonly value: FormKind; readonly text: string }[] = [
  { value: 'crontab', text: 'Crontab' },
  { value: 'interval', text: 'Every' },
  { value: 'clocked', text: 'Once' },
];

function Fields({ form, isNamed, onChange }: FieldsProps): VNode {
  const { data } = useCatalogue();
  return (
    <div class="fields">
      <Field label="Name">
        <input
          class="input"
          value={form.name}
          disabled={isNamed}
          onInput={(event) => onChange({ name: event.currentTarget.value })}
        />
      </Field>
      <Field label="Task">
        <input
          class="input mono"
          list="known-tasks"
          value={form.task}
          onInput={(event) => onChange({ task: event.currentTarget.value })}
        />
      </Field>
      <datalist id="known-tasks">
        {(data?.tasks ?? []).map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <Choice label="Kind" options={KINDS} value={form.kind} onChoose={(kind) => onChange({ kind })} />
      <When form={form} onChange={onChange} />
      <ArgumentsFields typed={form} onChange={onChange} />
      <Field label="Description">
        <input
          class="input"
          value={form.description}
          onInput={(event) => onChange({ description: event.currentTarget.value })}
        />
      </Field>
    </div>
  );
}

const CRON_FIELDS = ['Minute', 'Hour', 'Day', 'Month', 'Weekday'];

function When({ form, onChange }: Omit<FieldsProps, 'isNamed'>): VNode {
  if (form.kind === 'clocked')
    return (
      <Field label="At" hint="ISO 8601: 2027-01-01T00:00:00Z">
        <input class="input mono" value={form.at} onInput={(event) => onChange({ at: event.currentTarget.value })} />
      </Field>
    );
  const zone = (
    <Field label="Zone" hint="IANA: Europe/Berlin; empty: the app’s">
      <input
        class="input"
        value={form.timezone}
        onInput={(event) => onChange({ timezone: event.currentTarget.value })}
      />
    </Field>
  );
  if (form.kind === 'interval')
    return (
      <>
        <Field label="Seconds">
          <input
            class="input"
            inputMode="decimal"
            value={form.seconds}
            onInput={(event) => onChange({ seconds: event.currentTarget.value })}
          />
        </Field>
        {zone}
      </>
    );
  return (
    <>
      <div class="cron">
        {CRON_FIELDS.map((label, index) => (
          <Field key={label} label={label}>
            <input
              class="input mono"
              value={form.cron[index] ?? ''}
              onInput={(event) => onChange({ cron: form.cron.with(index, event.currentTarget.value) })}
            />
          </Field>
        ))}
      </div>
      {zone}
    </>
  );
}
