/**
 * What the types of canvas cost the compiler: an app of 300 tasks, with and without a thousand lines that put
 * signatures together. Alone: `node --conditions=@celeriac/source test/bench/types.ts`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const TASKS = 300;
const CANVASES = 300;
/** As people group them. */
const TASKS_A_FILE = 30;

const KINDS = [
  (i: number) => `app.task('t${i}', (x: number, y: number) => x + y + ${i})`,
  (i: number) => `app.task('t${i}', async (text: string, limit?: number) => text.slice(${i}, limit).length)`,
  (i: number) =>
    `app.task('t${i}', { bind: true, maxRetries: 5 }, async (self, page: { url: string; size: number }) => ({ ...page, id: self.request.id, n${i}: ${i} }))`,
  (i: number) => `app.task('t${i}', (values: readonly number[]) => values.reduce((a, b) => a + b, ${i}))`,
  (i: number) => `app.task('t${i}', (value: number, name: string, tags: string[]) => [name, ...tags, String(value)])`,
];

function taskFiles(): [string, string][] {
  return Array.from({ length: TASKS / TASKS_A_FILE }, (_, file) => [
    `tasks-${file}.ts`,
    [
      "import { app } from './app.ts';",
      ...Array.from({ length: TASKS_A_FILE }, (_task, index) => {
        const number = file * TASKS_A_FILE + index;
        return `export const t${number} = ${KINDS[number % KINDS.length]?.(number) ?? ''};`;
      }),
    ].join('\n'),
  ]);
}

/** Three lines each: tasks i to i + 4 are one of each kind. */
function canvasFile(): string {
  const lines = Array.from({ length: TASKS / TASKS_A_FILE }, (_, file) => {
    const names = Array.from({ length: TASKS_A_FILE }, (_task, index) => `t${file * TASKS_A_FILE + index}`);
    return `import { ${names.join(', ')} } from './tasks-${file}.ts';`;
  });
  lines.unshift("import { chain, chord, group } from 'celeriac';");
  for (let index = 0; index < CANVASES; index += 1) {
    const i = (index * KINDS.length) % TASKS;
    const [add, text, page, sum, list] = [0, 1, 2, 3, 4].map((offset) => `t${i + offset}`);
    lines.push(
      `export const a${index} = chain(${text}.s('x'), ${add}.s(1), ${add}.s(2), group(${add}.s(3), ${add}.s(4)), ${sum}.s(), ${list}.s('n', ['x']));`,
      `export const b${index} = chord([${text}.s('x'), chain(${add}.s(1, 2), ${add}.s(${index}))], ${sum}.s()).pipe(${add}.s(1)).set({ queue: 'default' });`,
      `export const c${index} = group([1, 2].map((size) => ${page}.s({ url: 'x', size }))).delay().then((result) => result.join());`,
    );
  }
  return lines.join('\n');
}

interface Cost {
  readonly seconds: number;
  readonly instantiations: number;
}

function compile(folder: string, files: readonly string[]): Cost {
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: relative(folder, resolve('tsconfig.base.json')),
      compilerOptions: { noUnusedLocals: false },
      files,
    }),
  );
  const tsc = resolve('node_modules/typescript/bin/tsc');
  const { stdout: report } = spawnSync(process.execPath, [tsc, '--extendedDiagnostics', '-p', folder], {
    encoding: 'utf8',
  });
  if (/error TS/.test(report)) throw new Error(`The program does not compile:\n${report}`);
  const figure = (name: string): number => Number(new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(report)?.[1]);
  return { seconds: figure('Total time'), instantiations: figure('Instantiations') };
}

function median(costs: readonly Cost[]): Cost {
  const sorted = costs.toSorted((left, right) => left.seconds - right.seconds);
  return sorted[Math.floor(sorted.length / 2)] ?? { seconds: Number.NaN, instantiations: Number.NaN };
}

export function types(rounds: number): [string, string][] {
  mkdirSync('.vitest', { recursive: true });
  // Within the package, since the files import it by its name.
  const folder = mkdtempSync(resolve('.vitest/types-'));
  try {
    const tasks = taskFiles();
    writeFileSync(
      join(folder, 'app.ts'),
      "import { Celeriac } from 'celeriac';\nexport const app = new Celeriac('x');",
    );
    writeFileSync(join(folder, 'canvas.ts'), canvasFile());
    writeFileSync(join(folder, 'bare.ts'), "export * as celeriac from 'celeriac';");
    for (const [name, text] of tasks) writeFileSync(join(folder, name), text);
    const names = tasks.map(([name]) => name);
    const programs = [['bare.ts'], names, [...names, 'canvas.ts']];
    const costs = programs.map((): Cost[] => []);
    // In turn, so that a busy machine slows all.
    for (let round = 0; round < rounds; round += 1)
      for (const [index, files] of programs.entries()) costs[index]?.push(compile(folder, files));
    const shown = (index: number): string => {
      const { seconds, instantiations } = median(costs[index] ?? []);
      return `${seconds.toFixed(2)} s, ${instantiations} instantiations`;
    };
    return [
      ['the library alone', shown(0)],
      [`with ${TASKS} tasks`, shown(1)],
      [`with ${CANVASES * 3} lines of chain, group, chord, pipe`, shown(2)],
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) for (const [name, value] of types(5)) console.log(`${name.padEnd(48)}  ${value}`);
