/** Composite signatures in Celery's own form (celery/canvas.py), and its upgrades: a group before a task is a chord. */
import { InvalidSignature } from '../base/errors.ts';
import { applyPartial, readSignature, type Signature, type SignatureOptions, withParts } from '../wire/signature.ts';
import {
  type ChordPolicy,
  composite,
  immutable,
  kindOf,
  merged,
  readAll,
  SEED,
  signaturesIn,
  withKwargs,
  withOptions,
} from './parts.ts';
import { listOf } from '../wire/links.ts';

export { type ChordPolicy, isOneMessage, kindOf, merged, type SignatureKind, withOptions } from './parts.ts';

/** @throws InvalidSignature for a chain of nothing. */
export function chainOf(tasks: readonly Signature[], options: SignatureOptions = {}): Signature {
  const steps = upgraded(tasks.flatMap(flatSteps));
  const [only] = steps;
  if (only === undefined) throw new InvalidSignature('chain(): no task given; give at least one.');
  if (steps.length === 1 && Object.keys(options).length === 0) return only;
  return composite('celery.chain', { tasks: Object.freeze(steps) }, options);
}

/** A chain within a chain is its steps; one with options of its own hands them to its ends first. */
function flatSteps(sig: Signature): readonly Signature[] {
  if (kindOf(sig) === 'chunks') return [chunksGroup(sig)];
  if (kindOf(sig) !== 'chain') return [sig];
  const steps = chainSteps(sig);
  const last = steps.length - 1;
  const { task_id } = sig.options;
  return typeof task_id === 'string' ? steps.map((step, at) => (at < last ? step : withId(step, task_id))) : steps;
}

/**
 * The same chain or chord, with what follows its chords side by side: a chain of forty chords, each in the body
 * of the one before, would nest too deep for a message. They are made chords again when it is their turn.
 */
export function flattened(sig: Signature): Signature {
  if (kindOf(sig) === 'chord') return withKwargs(sig, { body: flattened(ownParts(sig).body) });
  if (kindOf(sig) !== 'chain') return sig;
  const tasks = [...signaturesIn(sig, 'tasks')];
  for (let last = tasks.at(-1); last !== undefined && isPlainChord(last); last = tasks.at(-1)) {
    const { header, body } = ownParts(last);
    tasks.splice(-1, 1, header, ...(isPlain(body) ? signaturesIn(body, 'tasks') : [body]));
  }
  return withKwargs(sig, { tasks: Object.freeze(tasks) });
}

function isPlainChord(sig: Signature): boolean {
  return kindOf(sig) === 'chord' && hasNothing(sig);
}

function isPlain(sig: Signature): boolean {
  return kindOf(sig) === 'chain' && hasNothing(sig);
}

function hasNothing({ options, args, immutable }: Signature): boolean {
  return Object.keys(options).length === 0 && args.length === 0 && !immutable;
}

/**
 * The id that was given to what a signature results in: its own, its last step's, its body's. In a chord of
 * Python's own making `task_id` is the header's, and the body has one of its own.
 */
export function givenId(sig: Signature): string | undefined {
  const { task_id } = sig.options;
  const own = typeof task_id === 'string' ? task_id : undefined;
  if (kindOf(sig) === 'chord') return givenId(ownParts(sig).body) ?? own;
  const last = own === undefined && kindOf(sig) === 'chain' ? chainSteps(sig).at(-1) : undefined;
  return last === undefined ? own : givenId(last);
}

/** The same, with another id for what it results in. */
export function withId(sig: Signature, id: string): Signature {
  const named = withOptions(sig, { task_id: id });
  return kindOf(sig) === 'chord' ? withKwargs(named, { body: withId(ownParts(sig).body, id) }) : named;
}

/** Options that belong to the last step of a chain: who is called with its result, and whose member it is. */
const TO_LAST = new Set(['link', 'group_id', 'group_index', 'chord', 'celeriac']);

/** The steps of a chain in order, upgraded, with the chain's own options handed down as Celery does. */
export function chainSteps(sig: Signature): Signature[] {
  const steps = upgraded(signaturesIn(sig, 'tasks').flatMap(flatSteps));
  const own = Object.entries(sig.options).filter(([name]) => name !== 'task_id' && name !== SEED);
  const last = Object.fromEntries(own.filter(([name]) => TO_LAST.has(name)));
  const every = Object.fromEntries(own.filter(([name]) => name === 'link_error'));
  const first = Object.fromEntries(own.filter(([name]) => !TO_LAST.has(name) && name !== 'link_error'));
  return steps.map((step, index) => {
    const options = {
      ...(index === 0 ? { ...first, ...step.options } : step.options),
      ...(index === steps.length - 1 ? merged(step.options, last) : {}),
      ...merged(step.options, every),
    };
    return withParts(step, {
      args: index === 0 ? applyPartial(step, sig.args) : step.args,
      options,
      immutable: step.immutable || (index === 0 && sig.immutable),
    });
  });
}

/** group | task = chord; chord | task = a chord with a longer body. What follows a composite is inside of it afterwards. */
function upgraded(steps: readonly Signature[]): Signature[] {
  const result: Signature[] = [];
  for (const step of steps) {
    const previous = result.at(-1);
    if (previous !== undefined && kindOf(previous) === 'group') {
      result[result.length - 1] = chordOf(previous, step);
    } else if (previous !== undefined && kindOf(previous) === 'chord') {
      result[result.length - 1] = lengthened(previous, step);
    } else result.push(step);
  }
  return result;
}

/** A chord's own links and id are those of the body it had. */
function lengthened(chord: Signature, step: Signature): Signature {
  const { header, body, policy } = chordParts(chord);
  const { link, link_error, task_id } = chord.options;
  const links = {
    ...(link === undefined ? {} : { link }),
    ...(link_error === undefined ? {} : { link_error }),
    ...(task_id === undefined || givenId(body) !== undefined ? {} : { task_id }),
  };
  const whole = chordOf(
    header,
    chainOf([withOptions(body, merged(body.options, links)), step]),
    policy === 'celery' ? {} : { policy },
  );
  return chord.immutable ? immutable(whole) : whole;
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
  'counted',
  SEED,
]);

/** Whether its sender asked for a count of its members. */
export function isCounted({ options }: Signature): boolean {
  return options['counted'] === true;
}

/** The members in order, with the group's own options and arguments handed to each. */
export function groupMembers(sig: Signature): readonly Signature[] {
  const members = signaturesIn(sig, 'tasks').flatMap(flatMembers);
  const own = Object.fromEntries(Object.entries(sig.options).filter(([name]) => !OF_GROUP.has(name)));
  const links = listOf(sig.options['link']);
  if (Object.keys(own).length === 0 && links.length === 0 && sig.args.length === 0) return members;
  return members.map((member, index) =>
    withParts(member, {
      args: applyPartial(member, sig.args),
      options: {
        ...own,
        ...member.options,
        ...merged(member.options, own['link_error'] === undefined ? {} : { link_error: own['link_error'] }),
        // Celery: a group's link goes to its first task, as an immutable clone.
        ...(index === 0 && links.length > 0
          ? merged(member.options, { link: links.map((link) => ({ ...(link as Signature), immutable: true })) })
          : {}),
      },
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

// What a chord's own options say of the chord itself, or of its body's end.
const OF_CHORD = new Set([...OF_GROUP, 'link_error', 'policy']);
// Of the header alone: the body comes after it anyway.
const OF_HEADER = new Set(['countdown', 'eta']);

/**
 * Header and body, with the chord's own options handed to both and its arguments to the header, as Celery does.
 *
 * @throws InvalidSignature where a message's chord has no body.
 */
export function chordParts(sig: Signature): ChordParts {
  const { header, body, policy } = ownParts(sig);
  const own = Object.entries(sig.options).filter(([name]) => !OF_CHORD.has(name));
  if (own.length === 0 && sig.args.length === 0) return { header, body, policy };
  const late = own.filter(([name]) => !OF_HEADER.has(name));
  return {
    header: withParts(header, {
      args: [...sig.args, ...header.args],
      options: { ...Object.fromEntries(own), ...header.options },
    }),
    body: withOptions(body, { ...Object.fromEntries(late), ...body.options }),
    policy,
  };
}

function ownParts(sig: Signature): ChordParts {
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
  // Celery: whatever it is given, its items are its own.
  return immutable(composite(`celery.${kind}`, { task, it: Object.freeze([...items]) }));
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
