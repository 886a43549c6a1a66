/** What the package's entries export, and which of it has a doc comment: read from the text, whose format oxfmt keeps. */
import { importsOf, resolveImport, type SourceFile } from './rules.ts';

/** A class, an interface, a type, a function or a constant, with what stands in it. */
export interface Declaration {
  readonly name: string;
  readonly path: string;
  readonly kind: string;
  /** From `export` to the end of its own lines. */
  readonly lines: readonly string[];
  readonly documented: boolean;
  /** Names after `extends` and `implements`. */
  readonly bases: readonly string[];
  readonly members: readonly Member[];
}

interface Member {
  readonly name: string;
  readonly documented: boolean;
  /** Within the declaration's lines. */
  readonly line: number;
}

type Files = ReadonlyMap<string, SourceFile>;

/** The names that an entry exports, each with the file that it names. */
export function exportsOf(entry: SourceFile): { readonly name: string; readonly path: string }[] {
  return [...entry.text.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)';/gm)].flatMap(
    ([, names = '', from = '']) =>
      names
        .split(',')
        .map((name) => name.trim().replace(/^type /, ''))
        .filter((name) => name !== '')
        .map((name) => ({ name: name.split(' as ')[0] ?? name, path: resolveImport(entry.path, from) ?? from })),
  );
}

/** Follows re-exports to where the name is declared. */
export function declarationOf(name: string, path: string, files: Files): Declaration | undefined {
  const file = files.get(path);
  if (file === undefined) return undefined;
  const lines = file.text.split('\n');
  const start = lines.findIndex((line) => HEAD.exec(line)?.groups?.['name'] === name);
  if (start >= 0) return readDeclaration(path, lines, start);
  const again = [...exportsOf(file), ...importedAgain(file)].find((each) => each.name === name);
  return again && declarationOf(name, again.path, files);
}

/** Names that a file imports and then exports in a statement of their own. */
function importedAgain(file: SourceFile): { readonly name: string; readonly path: string }[] {
  const names = [...file.text.matchAll(/^export \{([^}]*)\};/gm)].flatMap(([, list = '']) => list.split(','));
  return names.flatMap((each) => {
    const name = each.trim();
    const from = new RegExp(`^import (?:type )?\\{[^}]*\\b${name}\\b[^}]*\\} from '([^']+)';`, 'm').exec(
      file.text,
    )?.[1];
    const path = from === undefined ? undefined : resolveImport(file.path, from);
    return name === '' || path === undefined ? [] : [{ name, path }];
  });
}

const HEAD =
  /^(?:export )?(?:declare )?(?:abstract )?(?:async )?(?<kind>class|interface|type|function|const) (?<name>\w+)/;

function readDeclaration(path: string, lines: readonly string[], start: number): Declaration {
  const { kind = '', name = '' } = HEAD.exec(lines[start] ?? '')?.groups ?? {};
  // What is declared ends before the next line that begins at the margin with a word or a comment.
  const length = lines.slice(start + 1).findIndex((line) => /^[a-z/@]/.test(line));
  const own = length < 0 ? lines.slice(start) : lines.slice(start, start + 1 + length);
  const open = own.findIndex((line) => /^\S.*\{$/.test(line));
  const head = own.slice(0, Math.max(open, 0) + 1).join(' ');
  return {
    name,
    path,
    kind,
    lines: own,
    documented: hasComment(lines, start),
    bases: basesOf(head.slice(head.indexOf(name) + name.length)),
    members: ['class', 'interface', 'type'].includes(kind) ? membersOf(own, kind === 'class') : [],
  };
}

function basesOf(head: string): string[] {
  // Type arguments may have commas and `extends` of their own.
  let plain = head;
  for (let last = ''; last !== plain;) {
    last = plain;
    plain = plain.replace(/<[^<>]*>/g, '').replace('=>', '');
  }
  return [...plain.matchAll(/\b(?:extends|implements) ([^{]*?)(?= implements|\{)/g)].flatMap(([, names = '']) =>
    names.split(',').map((each) => each.trim()),
  );
}

/** Whether the line right above ends a doc comment. */
function hasComment(lines: readonly string[], index: number): boolean {
  let end = index - 1;
  while (lines[end]?.trim().startsWith('@')) end -= 1;
  if (!lines[end]?.trimEnd().endsWith('*/')) return false;
  while (end >= 0 && !lines[end]?.includes('/*')) end -= 1;
  return lines[end]?.trim().startsWith('/**') ?? false;
}

const MODIFIERS = String.raw`(?:(?:public|static|async|readonly|abstract|declare|get|set) )*`;
/** A member: its modifiers, and then a name, a name in brackets, or the parameters of a call. */
const IN_CLASS = new RegExp(String.raw`^ {2}${MODIFIERS}(?<name>\w+|\[Symbol\.\w+\])(?:[?!<(:;]| =)`);
const IN_TYPE = new RegExp(String.raw`^ {2,}${MODIFIERS}(?<name>\w+|'[^']+'|\[\w+(?:\.\w+|: \w+)\]|(?=\())\??[<(:]`);

function membersOf(lines: readonly string[], isClass: boolean): Member[] {
  const places = new Map<string, number[]>();
  for (const index of lines.keys()) {
    const found = index === 0 ? undefined : isClass ? classMember(lines[index] ?? '') : typeMember(lines, index);
    if (found !== undefined) places.set(found, [...(places.get(found) ?? []), index]);
  }
  return [
    ...[...places].flatMap(([name, indexes]) => eachShown(name, indexes, lines)),
    ...(isClass ? parameterProperties(lines) : []),
  ];
}

/** An editor shows each overload with its own comment. The body behind them is not seen, and a setter goes with its getter. */
function eachShown(name: string, indexes: readonly number[], lines: readonly string[]): Member[] {
  const open = indexes.filter((index) => !hasBody(lines, index));
  const shown = open.length === 0 ? indexes.slice(0, 1) : open;
  return shown.map((line, place) => ({
    name: place === 0 ? name : `${name}#${place + 1}`,
    documented: hasComment(lines, line),
    line,
  }));
}

/** Of a function or a method: its head ends with a brace, on its own line or where its parameters end. */
function hasBody(lines: readonly string[], index: number): boolean {
  const line = lines[index] ?? '';
  if (/[;{]$/.test(line) || !/[(<]$/.test(line)) return line.endsWith('{') || line.endsWith('{}');
  const margin = /^ */.exec(line)?.[0] ?? '';
  const end = lines.slice(index + 1).find((later) => /[;{}]$/.test(later) && later.startsWith(`${margin})`));
  return end?.endsWith('{') === true || end?.endsWith('{}') === true;
}

function classMember(line: string): string | undefined {
  if (/^ {2}(?:private|protected|override|static override) /.test(line)) return undefined;
  const name = IN_CLASS.exec(line)?.groups?.['name'];
  return name !== undefined && line.startsWith('  static ') ? `static ${name}` : name;
}

/** Lines that end a member, or open one: others are parameters, and parts of types. */
function typeMember(lines: readonly string[], index: number): string | undefined {
  const line = lines[index] ?? '';
  if (/^ *(?:[?:|&]|\w+<[^(]*[{,&|]$)/.test(line)) return undefined;
  const name = IN_TYPE.exec(line)?.groups?.['name'];
  if (name === undefined) return undefined;
  const opens = /(?:[;{|(<=]|=>)$|:$/.test(line);
  // Deeper ones have their way in their name, so that two of one name stay apart.
  const indent = line.search(/\S/);
  const parent =
    indent <= 2
      ? undefined
      : lines.slice(0, index).findLast((each) => each.search(/\S/) === indent - 2 && /^ *\S/.test(each));
  // Parameters of a method are told of in its own comment.
  if (indent > 2 && !/: (?:\w+<)?\{$/.test(parent ?? '')) return undefined;
  if (indent > 2 && parent?.includes('(') === true) return undefined;
  const above = indent > 2 ? `${IN_TYPE.exec(parent ?? '')?.groups?.['name'] ?? ''}.` : '';
  return opens ? `${above}${name === '' ? '()' : name}` : undefined;
}

function parameterProperties(lines: readonly string[]): Member[] {
  const start = lines.findIndex((line) => line.startsWith('  constructor('));
  const length = lines.slice(Math.max(start, 0)).findIndex((line) => /^ {2}\)|\{$/.test(line));
  return lines
    .map((line, index) => ({ name: /^ {4}(?:override )?(?:public )?readonly (\w+)/.exec(line)?.[1], index }))
    .filter(({ index, name }) => name !== undefined && start >= 0 && index > start && index <= start + length)
    .map(({ name = '', index }) => ({ name, documented: hasComment(lines, index), line: index }));
}

/**
 * What the entries export without a comment: `path Name` of a declaration, `path Name.member` of its members. Bases that
 * are not exported are read too. A member that a base has with a comment needs none of its own: editors show the base's.
 */
export function withoutComment(entries: readonly string[], files: readonly SourceFile[]): string[] {
  const byPath: Files = new Map(files.map((file) => [file.path, file]));
  const found = new Map<string, Declaration>();
  const add = (declaration: Declaration | undefined): void => {
    if (declaration === undefined || found.has(`${declaration.path} ${declaration.name}`)) return;
    found.set(`${declaration.path} ${declaration.name}`, declaration);
    for (const base of basesIn(declaration, byPath)) add(base);
  };
  const missing: string[] = [];
  for (const path of entries) {
    const entry = byPath.get(path);
    if (entry === undefined) throw new Error(`${path} is no file.`);
    for (const { name, path: from } of exportsOf(entry)) {
      const declaration = declarationOf(name, from, byPath);
      if (declaration === undefined) missing.push(`${from} ${name}: not found`);
      add(declaration);
    }
  }
  for (const declaration of found.values()) missing.push(...missingIn(declaration, byPath));
  return missing.toSorted();
}

function missingIn(declaration: Declaration, files: Files): string[] {
  const at = `${declaration.path} ${declaration.name}`;
  const inherited = (name: string, from: Declaration): boolean =>
    basesIn(from, files).some(
      (base) =>
        base.members.some((member) => member.name === name.split('#')[0] && member.documented) || inherited(name, base),
    );
  return [
    ...(declaration.documented ? [] : [at]),
    ...overloadsOf(declaration, files),
    ...declaration.members
      .filter(({ name, documented }) => !documented && !inherited(name, declaration))
      .map(({ name }) => `${at}.${name}`),
  ];
}

/** Overloads of a function after the first one. */
function overloadsOf({ kind, name, path }: Declaration, files: Files): string[] {
  const lines = (files.get(path)?.text ?? '').split('\n');
  const heads =
    kind === 'function' ? [...lines.keys()].filter((index) => HEAD.exec(lines[index] ?? '')?.[2] === name) : [];
  return eachShown(`${path} ${name}`, heads, lines)
    .slice(1)
    .filter(({ documented }) => !documented)
    .map((overload) => overload.name);
}

function basesIn(declaration: Declaration, files: Files): Declaration[] {
  const file = files.get(declaration.path);
  if (file === undefined) return [];
  const places = [
    declaration.path,
    ...importsOf(file.text).map(({ target }) => resolveImport(declaration.path, target)),
  ];
  return declaration.bases.flatMap((base) => {
    for (const place of places) {
      const found = place === undefined ? undefined : declarationOf(base, place, files);
      if (found !== undefined) return [found];
    }
    return [];
  });
}

/** Counts for a reader of the check: an empty list proves something only where much was read. */
export function countOf(entries: readonly string[], files: readonly SourceFile[]): number {
  const byPath: Files = new Map(files.map((file) => [file.path, file]));
  return entries
    .flatMap((path) => exportsOf(byPath.get(path) ?? { path, text: '' }))
    .map(({ name, path }) => declarationOf(name, path, byPath))
    .reduce((sum, declaration) => sum + 1 + (declaration?.members.length ?? 0), 0);
}

/** The code of every `@example` in a file's doc comments, fenced or not. */
export function examplesOf(text: string): string[] {
  return [...text.matchAll(/^ *\/\*\*\n([\s\S]*?)^ *\*\//gm)].flatMap(([, comment = '']) => {
    const plain = comment.replace(/^ *\* ?/gm, '');
    return [...plain.matchAll(/^@example\n([\s\S]*?)(?=^@|$(?![\s\S]))/gm)].map(([, example = '']) => {
      const fenced = /^```ts\n([\s\S]*?)^```/m.exec(example)?.[1];
      // A comment cannot hold the end of one.
      return (fenced ?? example).replaceAll('*\\/', '*/');
    });
  });
}
