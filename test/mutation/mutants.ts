/** Mutants of the library's files, by Stryker's instrumenter: all of them in the code at once, each behind a switch. */
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';

import { Instrumenter } from '@stryker-mutator/instrumenter';

export const FOLDERS: readonly string[] = ['worker', 'beat', 'aws', 'canvas', 'schedules'];

export interface Mutant {
  /** The switch's name in the instrumented code. */
  readonly id: string;
  /** The same while its lines stay the same, wherever they move in their file. */
  readonly key: string;
  readonly file: string;
  readonly folder: string;
  readonly line: number;
  readonly mutator: string;
  /** Where `before` stands in the file's text. */
  readonly from: number;
  readonly before: string;
  readonly after: string;
}

export interface Instrumented {
  readonly mutants: readonly Mutant[];
  /** By path. */
  readonly texts: ReadonlyMap<string, string>;
}

interface Position {
  readonly line: number;
  readonly column: number;
}
interface SyntaxPath {
  readonly node: {
    readonly type: string;
    readonly callee?: Callee;
    /** Of a case. */
    readonly consequent?: readonly { readonly argument?: { readonly type: string; readonly typeAnnotation?: Typed } }[];
  };
  readonly parentPath: SyntaxPath | null;
}
interface Typed {
  readonly type: string;
}
interface Callee {
  readonly type: string;
  readonly name?: string;
  readonly property?: { readonly name?: string };
}

/** `default: return decision satisfies never`: the compiler knows that it is not come to. */
function isNever({ node }: SyntaxPath): boolean {
  const [first] = Array.isArray(node.consequent) ? node.consequent : [];
  return first?.argument?.type === 'TSSatisfiesExpression' && first.argument.typeAnnotation?.type === 'TSNeverKeyword';
}

const ERRORS: ReadonlySet<string> = new Set(
  [...readFileSync('lib/base/errors.ts', 'utf8').matchAll(/^export class (\w+)/gm)].map(([, name]) => name ?? ''),
);

// Texts for people: tests name an error's class and code, and leave its wording free.
const TEXTS: ReadonlySet<string> = new Set(['StringLiteral', 'TemplateLiteral', 'TemplateElement']);
const left = {
  shouldIgnore(path: unknown): string | undefined {
    let at = path as SyntaxPath | null;
    if (at !== null && isNever(at)) return 'what never comes';
    if (at === null || !TEXTS.has(at.node.type)) return undefined;
    for (; at !== null; at = at.parentPath) {
      const { type, callee } = at.node;
      if (type === 'ThrowStatement') return 'the text of an error';
      if (type === 'NewExpression' && (callee?.name === 'Error' || ERRORS.has(callee?.name ?? '')))
        return 'the text of an error';
      if (type === 'CallExpression' && callee?.property?.name === 'log') return 'the text of a log line';
      if (/Statement$|Function/.test(type)) return undefined;
    }
    return undefined;
  },
};

const nothing = (): undefined => undefined;
const no = (): boolean => false;
const silent = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  isTraceEnabled: no,
  isDebugEnabled: no,
  isInfoEnabled: no,
  isWarnEnabled: no,
  isErrorEnabled: no,
  isFatalEnabled: no,
};

export const filesOf = (folder: string): string[] => globSync(`lib/${folder}/*.ts`).toSorted();

/** Always of all folders: ids count through, and what was recorded for one folder holds for the others. */
export async function instrument(): Promise<Instrumented> {
  const sources = new Map(FOLDERS.flatMap(filesOf).map((path) => [path, readFileSync(path, 'utf8')]));
  const { files, mutants } = await new Instrumenter(silent).instrument(
    [...sources].map(([name, content]) => ({ name, content, mutate: true })),
    { plugins: null, excludedMutations: [], ignorers: [left] },
  );
  const seen = new Map<string, number>();
  return {
    texts: new Map(files.map(({ name, content }) => [name, content])),
    mutants: mutants
      .filter(({ status }) => status === undefined)
      .map(({ id, fileName: file, location, mutatorName: mutator, replacement }) => {
        const lines = (sources.get(file) ?? '').split('\n');
        const before = textBetween(lines, location.start, location.end);
        const position = [file, lines[location.start.line]?.trim(), before, mutator, replacement].join('\n');
        const nth = (seen.get(position) ?? 0) + 1;
        seen.set(position, nth);
        return {
          id,
          file,
          mutator,
          from: lines.slice(0, location.start.line).reduce((sum, line) => sum + line.length + 1, location.start.column),
          before,
          after: replacement,
          key: createHash('sha256').update(`${position}\n${nth}`).digest('hex').slice(0, 12),
          folder: file.split('/')[1] ?? '',
          line: location.start.line + 1,
        };
      }),
  };
}

function textBetween(lines: readonly string[], start: Position, end: Position): string {
  const inside = lines.slice(start.line, end.line + 1);
  const last = inside.length - 1;
  return inside
    .map((line, index) => line.slice(index === 0 ? start.column : 0, index === last ? end.column : undefined))
    .join('\n');
}

/** The file's text with this one change. */
export function mutated(text: string, { from, before, after }: Mutant): string {
  // The compiler refuses an empty statement after a condition: that says nothing of the call that was left out.
  return text.slice(0, from) + (after === ';' ? '{}' : after) + text.slice(from + before.length);
}

/**
 * `count` of them, each as likely as any other; the same seed takes the same ones, and a larger sample contains a smaller. By the keys
 * and not by the places: a mutant that comes or goes, in the code or in the list of survivors, leaves the others in the sample.
 */
export function sampleOf<T extends { readonly key: string }>(all: readonly T[], count: number, seed: number): T[] {
  const drawn = all.map((one) => ({ one, place: createHash('sha256').update(`${seed} ${one.key}`).digest('hex') }));
  return drawn
    .toSorted((left, right) => (left.place < right.place ? -1 : 1))
    .slice(0, count)
    .map(({ one }) => one);
}

const short = (text: string): string => {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= 70 ? line : `${line.slice(0, 67)}...`;
};

export function describeMutant({ file, line, before, after }: Mutant): string {
  return `${file}:${line}: \`${short(before)}\` → \`${short(after)}\``;
}
