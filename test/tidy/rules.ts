/** The house rules, as functions from text to complaints; `test/tidy.test.ts` runs them over the repository and shows that each can fail. */

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
}

/** Static imports and re-exports, and dynamic imports of literals. */
export function importsOf(text: string): Import[] {
  const imports: Import[] = [];
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s+)?([^;'"]*?from\s+)?['"]([^'"]+)['"]/gm)) {
    const names = match[2] ?? '';
    const allTypes =
      /^\{[^}]*\}/.test(names) &&
      names
        .replace(/[{}]|from/g, '')
        .split(',')
        .filter((name) => name.trim() !== '')
        .every((name) => /^\s*type\s/.test(name));
    imports.push({ target: match[3] ?? '', typeOnly: match[1] !== undefined || allTypes });
  }
  for (const match of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g))
    imports.push({ target: match[1] ?? '', typeOnly: false });
  return imports;
}

/** The rooms of the library, in order: a file imports its own room and those before it, types included. */
export const ROOMS: readonly string[] = [
  'base',
  'wire',
  'ports',
  'schedules',
  'http',
  'options',
  'task',
  'canvas',
  'results',
  'flow',
  'notify',
  'producer',
  'worker',
  'beat',
  'history',
  'operate',
  'memory',
  'aws',
  'telemetry',
  'codec',
  'app',
  'process',
  'deployed',
  'local',
  'testing',
  'dev',
  'monitor',
  'cli',
];
/** What implements ports stands beside the domain, and knows nothing of it. */
const ADAPTERS: ReadonlySet<string> = new Set(['memory', 'aws', 'telemetry']);
const OPEN_TO_ADAPTERS: ReadonlySet<string> = new Set(['base', 'wire', 'ports', 'schedules']);
const MANIFEST = 'lib/options/manifest.ts';

function roomOf(path: string): string | undefined {
  return /^lib\/([^/]+)\//.exec(path)?.[1];
}

/** What package.json's `imports` name. */
const SEAMS: Readonly<Record<string, string>> = { '#aws-sdk': 'lib/aws/sdk.ts' };

export function resolveImport(from: string, target: string): string | undefined {
  if (target in SEAMS) return SEAMS[target];
  if (target.startsWith('#deployed/')) return `lib/${target.slice('#deployed/'.length)}.ts`;
  if (!target.startsWith('.')) return undefined;
  const parts = from.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

export function directionComplaints(file: SourceFile): string[] {
  const complaints: string[] = [];
  const room = file.path.split('/')[0];
  for (const { target, typeOnly } of importsOf(file.text)) {
    const resolved = resolveImport(file.path, target);
    const say = (why: string): void => void complaints.push(`${file.path} imports ${target}: ${why}`);
    if (
      target.startsWith('@aws-sdk/') &&
      room !== 'test' &&
      !file.path.startsWith('lib/aws/') &&
      !file.path.startsWith('lib/local/')
    )
      say('the SDK belongs to lib/aws');
    // Only what goes through that file is replaced by the lean client in bundles.
    else if (target.startsWith('@aws-sdk/') && room === 'lib' && !typeOnly && file.path !== 'lib/aws/sdk.ts')
      say('classes of the SDK come from #aws-sdk');
    if (/^(aws-cdk-lib|constructs)/.test(target) && room !== 'infra' && room !== 'test') say('CDK belongs to infra');
    if (target === 'aws-lambda' && room !== 'handlers' && file.path !== 'lib/aws/sqs-event.ts')
      say("Lambda's types belong to handlers");
    if (resolved === undefined) continue;
    if (room === 'lib' && !resolved.startsWith('lib/')) say('the library knows nothing outside of it');
    if (
      room === 'infra' &&
      resolved.startsWith('lib/') &&
      !/^lib\/(?:(?:dev\/user-module|options\/(?:at-once|entry-files|queue-options|manifest|service-variable|named-queues|deployed-service|monitor-variable|status-variable)|base\/(?:checks|nearest|limits|errors|states|time|ids|task-names)|wire\/queue-name)\.ts$|schedules\/)/.test(
        resolved,
      )
    )
      say('infra reads plain data only');
    if (room === 'infra' && resolved.startsWith('handlers/')) say('infra names handlers by path');
    if (room === 'lib')
      complaints.push(...roomComplaints(file.path, resolved).map((why) => `${file.path} imports ${target}: ${why}`));
  }
  return complaints;
}

function roomComplaints(path: string, target: string): string[] {
  // The entry, which no file of the library imports.
  if (path === 'lib/index.ts') return [];
  const [own, other] = [roomOf(path), roomOf(target)];
  if (own === undefined || !ROOMS.includes(own))
    return [`${path} is in no room; they are listed in test/tidy/rules.ts`];
  if (other === undefined) return ['the entry is for users'];
  if (own === other || target === MANIFEST) return [];
  if (ADAPTERS.has(own) && !OPEN_TO_ADAPTERS.has(other))
    return [`${own} implements ports and knows nothing of ${other}`];
  return ROOMS.indexOf(other) < ROOMS.indexOf(own) ? [] : [`${own} comes before ${other}`];
}

/** Files that import each other in a circle; in the library types included: what two need of each other is a third thing. */
export function cycles(files: readonly SourceFile[]): string[] {
  const graph = new Map(
    files.map((file) => [
      file.path,
      importsOf(file.text)
        .filter((each) => !each.typeOnly || file.path.startsWith('lib/'))
        .map((each) => resolveImport(file.path, each.target))
        .filter((path) => path !== undefined),
    ]),
  );
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      found.add([...trail.slice(at), path].join(' -> '));
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return [...found];
}

interface Ban {
  readonly pattern: RegExp;
  readonly where: RegExp;
  readonly but: RegExp;
  readonly instead: string;
}

const NEVER = /^$/;
const BANS: readonly Ban[] = [
  {
    pattern: /\bDate\.now\(|\bMath\.random\(|\brandomUUID\(|\bset(?:Timeout|Interval|Immediate)\(/,
    where: /^(lib|handlers|infra)\//,
    // The page's is the browser's.
    but: /^lib\/(base\/time|monitor\/page\/data\/clock|testing\/(?:real-time|virtual-date))\.ts$/,
    instead: 'take Clock, Random or Ids',
  },
  { pattern: /\bnew Date\(\)/, where: /^(lib|handlers|infra)\//, but: NEVER, instead: 'take Clock' },
  {
    pattern: /\bprocess\.env\b/,
    where: /^(lib|handlers|infra)\//,
    // The lean client reads the SDK's own variables, as the SDK does.
    but: /^(lib\/options\/environment|lib\/aws\/lean\/environment|handlers\/environment-credentials|infra\/commands)\.ts$/,
    instead: 'lib/options/environment.ts reads it',
  },
  {
    pattern: /\bconsole[.[]/,
    where: /^(lib|handlers|infra)\//,
    // The second writes a demo for users, whose code may.
    but: /^lib\/(options\/console-logger|cli\/new-project)\.ts$/,
    instead: 'use the Logger port',
  },
  {
    pattern: /:\s*any\b|\bas any\b|<any>|\bany\[\]/,
    where: /\.tsx?$/,
    but: /^test\/tidy/,
    instead: 'name the type, or unknown',
  },
  {
    pattern: /\binstanceof Error \? \w+\.(?:name|message|stack)\b/,
    where: /^(lib|handlers)\//,
    but: NEVER,
    instead: 'base/error-text.ts reads what was thrown: its getters may throw, and its text may be long',
  },
  { pattern: /^export \* /m, where: /\.ts$/, but: /^test\/tidy/, instead: 'export by name' },
  {
    pattern: /\b(?:TODO|FIXME|XXX)\b/,
    where: /./,
    but: /^(test\/tidy|package-lock)/,
    instead: 'do it, or write an issue',
  },
  { pattern: /\b(?:it|test|describe)\.(?:only|todo)\b/, where: /^test\//, but: /^test\/tidy/, instead: 'run them all' },
  {
    // vitest.config.ts has the one for all, which a loaded machine keeps.
    pattern:
      /^\s*\}, (?:\d{1,2}|1[0-7]\d)_000\);$|\b(?:test|hook)Timeout: |\b(?:it|test)(?:\.\w+)*\(.*\{ timeout: (?:\d{1,2}|1[0-7]\d)_000 \}/m,
    where: /^test\/.*\.test\.ts$/,
    but: /^test\/tidy/,
    instead: "a test has no limit of its own below the suite's: a loaded machine would fail it",
  },
  {
    // Emulators in Docker and workers that are killed have their own.
    pattern:
      /\b(?:poll|waitFor|waitUntil)\([^;]*\{[^{};]*\btimeout: \d|from '(?:celeriac\/local|[^']*(?:iam\/cloud|rig)\.ts)'[^]*?(?:\b(?:get|join|iterate|wait)\(\{|^const \w+ = \{)[^{}\n]*\btimeout: \d/m,
    where: /^test\/.*\.ts$/,
    but: /^test\/(?:deploy|mutation|bench|tidy|simulation\/chaos)\b/,
    instead: 'what comes by itself is waited for with the patience of test/support/patience.ts',
  },
  {
    pattern: /\bperformance\.now\(\)/,
    where: /^test\/.*\.test\.ts$/,
    // Its zero is what that one asks for.
    but: /^test\/(?:testing\/world-date|tidy)\.test\.ts$/,
    instead: 'a busy machine takes ten times as long: count requests, waits or CPU time, or take a clock of the test',
  },
  {
    pattern: /(?:\/work\/|\/home\/|\/root\/)[a-z]/,
    where: /./,
    but: /^(test\/tidy|package-lock)/,
    instead: 'no machine paths',
  },
  {
    pattern: /registry\.(?:npmjs|yarnpkg)\.|pypi\.org|deb\.debian\.org/,
    where: /./,
    but: /^test\/tidy/,
    instead: 'no registry hosts',
  },
];

export function banComplaints(file: SourceFile): string[] {
  // Comments may name what code may not call.
  const code = /\.tsx?$/.test(file.path) ? file.text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '') : file.text;
  return BANS.filter((ban) => ban.where.test(file.path) && !ban.but.test(file.path) && ban.pattern.test(code)).map(
    (ban) => `${file.path} has ${String(ban.pattern.exec(code)?.[0])}: ${ban.instead}`,
  );
}

export function nameComplaints(file: SourceFile): string[] {
  const name = file.path.split('/').at(-1) ?? '';
  return /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:long\.test|test|test-d|d|config|long\.config))?\.tsx?$/.test(name) ||
    !/\.tsx?$/.test(name)
    ? []
    : [`${file.path}: file names are kebab-case`];
}

/** Doc comments do not count: a limit must not make them short, and editors show them where there is no file to read. */
export function sizeComplaints(file: SourceFile, allowed: Readonly<Record<string, string>>, limit = 300): string[] {
  const lines = file.text.replace(/^ *\/\*\*[\s\S]*?\*\/\n/gm, '').split('\n').length;
  return lines > limit && allowed[file.path] === undefined
    ? [`${file.path} has ${lines} lines; ${limit} is the limit. Move a wall, or say in test/tidy.test.ts why not.`]
    : [];
}

const LONGEST_FUNCTION_LINES = 60;
const FUNCTION_HEAD =
  /^(?:export )?(?:default )?(?:async )?function\b|^\s{2}(?:(?:static|async|private|override|get|set) )*[#\w]+(?:<[^>]*>)?\([^;]*$|=>\s*\{$/;

/** Functions by indentation: formatted code closes a block at the column where its line began. */
export function functionComplaints(file: SourceFile): string[] {
  // A conformance suite is a list of cases in a function's clothes.
  if (file.path.startsWith('lib/testing/conformance/')) return [];
  const complaints: string[] = [];
  const lines = file.text.split('\n');
  for (const [index, line] of lines.entries()) {
    if (!FUNCTION_HEAD.test(line) || /^\s*(?:if|for|while|switch|return|\*|\/\/)/.test(line)) continue;
    const indent = /^\s*/.exec(line)?.[0] ?? '';
    // A head over several lines: its last one says whether a body follows.
    const last = line.endsWith('{')
      ? line
      : lines.find((later, position) => position > index && later.startsWith(`${indent})`));
    if (!last?.endsWith('{')) continue;
    const end = lines.findIndex((later, position) => position > index && new RegExp(`^${indent}\\}`).test(later));
    if (end - index + 1 > LONGEST_FUNCTION_LINES)
      complaints.push(
        `${file.path}:${index + 1} is a function of ${end - index + 1} lines; ${LONGEST_FUNCTION_LINES} is the limit`,
      );
  }
  return complaints;
}
