/** Composite signatures in Celery's own form (celery/canvas.py), and its upgrades: a group before a task is a chord. */
import { InvalidSignature } from '../errors.ts';
import { readSignature, type Signature, signature, type SignatureOptions } from '../signature.ts';

/** What becomes of a chord whose header has failed members. */
export type ChordPolicy = 'celery' | 'failFast' | 'settled';

export type SignatureKind = 'task' | 'chain' | 'group' | 'chord' | 'map' | 'starmap' | 'chunks';

const KINDS: Readonly<Record<string, SignatureKind>> = {
  'celery.chain': 'chain',
  'celery.group': 'group',
  'celery.chord': 'chord',
  'celery.map': 'map',
  'celery.starmap': 'starmap',
  'celery.chunks': 'chunks',
};
// `subtask_type` of those, in Celery's words.
const SUBTASK_TYPES: Readonly<Record<string, string>> = {
  'celery.chain': 'chain',
  'celery.group': 'group',
  'celery.chord': 'chord',
  'celery.map': 'xmap',
  'celery.starmap': 'xstarmap',
  'celery.chunks': 'chunks',
};

export function kindOf(sig: Signature): SignatureKind {
  return sig.subtask_type === null ? 'task' : (KINDS[sig.task] ?? 'task');
}

function composite(task: string, kwargs: Readonly<Record<string, unknown>>, options: SignatureOptions = {}): Signature {
  return signature(task, { kwargs, options, subtaskType: SUBTASK_TYPES[task] ?? null });
}

/** The same signature with more options. */
export function withOptions(sig: Signature, options: SignatureOptions): Signature {
  return signature(sig.task, {
    args: sig.args,
    kwargs: sig.kwargs,
    options: { ...sig.options, ...options },
    immutable: sig.immutable,
    subtaskType: sig.subtask_type,
  });
}

/** @throws InvalidSignature for a chain of nothing. */
export function chainOf(tasks: readonly Signature[], options: SignatureOptions = {}): Signature {
  const steps = upgraded(tasks.flatMap(flatSteps));
  const [only] = steps;
  if (only === undefined) throw new InvalidSignature('chain(): no task given; give at least one.');
  if (steps.length === 1 && Object.keys(options).length === 0) return only;
  return composite('celery.chain', { tasks: Object.freeze(steps) }, options);
}

/** A chain within a chain is its steps; one with options of its own hands them to its ends first. */
function flatSteps(sig: Signature): Signature[] {
  return kindOf(sig) === 'chain' ? chainSteps(sig) : [sig];
}

/** Options that belong to the last step of a chain: who is called with its result, and whose member it is. */
const TO_LAST = new Set(['link', 'group_id', 'group_index', 'chord', 'celeriac']);

/** The steps of a chain in order, upgraded, with the chain's own options handed down as Celery does. */
export function chainSteps(sig: Signature): Signature[] {
  const steps = upgraded(signaturesIn(sig, 'tasks').flatMap(flatSteps));
  const own = Object.entries(sig.options).filter(([name]) => name !== 'task_id' && name !== 'celeriac_seed');
  const last = Object.fromEntries(own.filter(([name]) => TO_LAST.has(name)));
  const every = Object.fromEntries(own.filter(([name]) => name === 'link_error'));
  const first = Object.fromEntries(own.filter(([name]) => !TO_LAST.has(name) && name !== 'link_error'));
  return steps.map((step, index) => {
    const options = {
      ...(index === 0 ? { ...first, ...step.options } : step.options),
      ...(index === steps.length - 1 ? merged(step.options, last) : {}),
      ...merged(step.options, every),
    };
    const args = index === 0 ? { args: [...sig.args, ...step.args] } : { args: step.args };
    return signature(step.task, {
      ...args,
      kwargs: step.kwargs,
      options,
      immutable: step.immutable,
      subtaskType: step.subtask_type,
    });
  });
}

/** Links add up; everything else replaces. */
export function merged(options: SignatureOptions, more: SignatureOptions): SignatureOptions {
  return Object.fromEntries(
    Object.entries(more).map(([name, value]) =>
      name === 'link' || name === 'link_error' ? [name, [...listOf(options[name]), ...listOf(value)]] : [name, value],
    ),
  );
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

/** group | task = chord; chord | task = a chord with a longer body. What follows a composite is inside of it afterwards. */
function upgraded(steps: readonly Signature[]): Signature[] {
  const result: Signature[] = [];
  for (const step of steps) {
    const previous = result.at(-1);
    if (previous !== undefined && kindOf(previous) === 'group') {
      result[result.length - 1] = chordOf(previous, step);
    } else if (previous !== undefined && kindOf(previous) === 'chord') {
      const { header, body } = chordParts(previous);
      result[result.length - 1] = chordOf(header, chainOf([body, step]), previous.options);
    } else result.push(step);
  }
  return result;
}

/** A group in a group is its members, as in Celery. */
export function groupOf(tasks: readonly Signature[], options: SignatureOptions = {}): Signature {
  return composite('celery.group', { tasks: Object.freeze(tasks.flatMap(flatMembers)) }, options);
}

function flatMembers(sig: Signature): readonly Signature[] {
  return kindOf(sig) === 'group' ? groupMembers(sig) : [sig];
}

// What a group's own options say of the group itself, not of each member.
const OF_GROUP = new Set([
  'task_id',
  'group_id',
  'group_index',
  'chord',
  'celeriac',
  'link',
  'root_id',
  'parent_id',
  'celeriac_seed',
]);

/** The members in order, with the group's own options and arguments handed to each. */
export function groupMembers(sig: Signature): readonly Signature[] {
  const members = signaturesIn(sig, 'tasks').flatMap(flatMembers);
  const own = Object.fromEntries(Object.entries(sig.options).filter(([name]) => !OF_GROUP.has(name)));
  const links = listOf(sig.options['link']);
  if (Object.keys(own).length === 0 && links.length === 0 && sig.args.length === 0) return members;
  return members.map((member, index) =>
    signature(member.task, {
      args: member.immutable ? member.args : [...sig.args, ...member.args],
      kwargs: member.kwargs,
      options: {
        ...own,
        ...member.options,
        ...merged(member.options, own['link_error'] === undefined ? {} : { link_error: own['link_error'] }),
        // Celery: a group's link goes to its first task, as an immutable clone.
        ...(index === 0 && links.length > 0
          ? merged(member.options, { link: links.map((link) => ({ ...(link as Signature), immutable: true })) })
          : {}),
      },
      immutable: member.immutable,
      subtaskType: member.subtask_type,
    }),
  );
}

export function chordOf(
  header: Signature | readonly Signature[],
  body: Signature,
  options: SignatureOptions = {},
): Signature {
  const group = isList(header) ? groupOf(header) : kindOf(header) === 'group' ? header : groupOf([header]);
  return composite('celery.chord', { header: group, body, kwargs: Object.freeze({}) }, options);
}

function isList(header: Signature | readonly Signature[]): header is readonly Signature[] {
  return Array.isArray(header);
}

export interface ChordParts {
  readonly header: Signature;
  readonly body: Signature;
  readonly policy: ChordPolicy;
}

/** @throws InvalidSignature where a message's chord has no body. */
export function chordParts(sig: Signature): ChordParts {
  const { header, body } = sig.kwargs;
  const read = readSignature(body);
  if (read === undefined) throw new InvalidSignature('A chord has no body.');
  const group = Array.isArray(header) ? groupOf(readAll(header, 'header')) : readSignature(header);
  if (group === undefined) throw new InvalidSignature('A chord has no header.');
  const policy = sig.options['policy'];
  return {
    header: kindOf(group) === 'group' ? group : groupOf([group]),
    body: read,
    policy: policy === 'failFast' || policy === 'settled' ? policy : 'celery',
  };
}

/** `task` called with each item, one after another, in one message. */
export function mapOf(kind: 'map' | 'starmap', task: Signature, items: readonly unknown[]): Signature {
  return composite(`celery.${kind}`, { task, it: Object.freeze([...items]) });
}

/** A group of starmaps of at most `size` items each. */
export function chunksOf(task: Signature, items: readonly unknown[], size: number): Signature {
  const parts: Signature[] = [];
  for (let start = 0; start < items.length; start += size)
    parts.push(mapOf('starmap', task, items.slice(start, start + size)));
  return groupOf(parts);
}

/** celery.chunks, as Python sends it: `{ task, it, n }`. @throws InvalidSignature */
export function chunksGroup(sig: Signature): Signature {
  const { task, it, n } = sig.kwargs;
  const inner = readSignature(task);
  if (inner === undefined || !Array.isArray(it) || typeof n !== 'number' || !(n >= 1))
    throw new InvalidSignature('celery.chunks needs task, it and n.');
  return withOptions(chunksOf(inner, it, Math.floor(n)), sig.options);
}

function signaturesIn(sig: Signature, field: string): readonly Signature[] {
  const value = sig.kwargs[field];
  if (!Array.isArray(value)) throw new InvalidSignature(`${sig.task} has no ${field}.`);
  return readAll(value, field);
}

function readAll(values: readonly unknown[], field: string): readonly Signature[] {
  return values.map((value, index) => {
    const read = isSignature(value) ? value : readSignature(value);
    if (read === undefined) throw new InvalidSignature(`${field}[${index}] is no signature.`);
    return read;
  });
}

/** Ours are frozen: they have been read already, and a large group need not be copied. */
function isSignature(value: unknown): value is Signature {
  return typeof value === 'object' && value !== null && Object.isFrozen(value) && 'subtask_type' in value;
}
