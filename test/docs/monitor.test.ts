/** docs/monitor.md has every route of the API in its table, and every code of its own: UPDATE=1 writes the routes. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { ERROR_CLASSES } from '../../lib/base/errors.ts';
import { ROUTES } from '../../lib/monitor/routes.ts';

const PAGE = 'docs/monitor.md';
const FIRST = '| `GET /api/session`';
const LAST = '| `GET /api/live`';

it('its table of routes is up to date', () => {
  const page = readFileSync(PAGE, 'utf8');
  const lines = page.split('\n');
  const [from, to] = [FIRST, LAST].map((head) => lines.findIndex((line) => line.startsWith(head))) as [number, number];
  const rows = ROUTES.map(({ method, path, summary }) => [`\`${method} ${path}\``, summary] as const);
  if (process.env['UPDATE'] === '1') {
    const written = rows.map(([route, summary]) => `| ${route} | ${summary} |`);
    writeFileSync(PAGE, [...lines.slice(0, from + 1), ...written, ...lines.slice(to)].join('\n'));
    return;
  }
  const told = lines.slice(from + 1, to).map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, 3),
  );
  expect(told).toEqual(rows.map((row) => [...row]));
});

it('tells every code that is no error class’s', () => {
  const page = readFileSync(PAGE, 'utf8');
  // What the page makes up for itself no API answers.
  const files = readdirSync('lib/monitor', { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.startsWith('page/'),
  );
  const own = files.flatMap((name) =>
    [
      ...readFileSync(`lib/monitor/${name}`, 'utf8').matchAll(/\bcode: (?:\w+ \? )?'([A-Z_]+)'(?: : '([A-Z_]+)')?/g),
    ].flatMap(([, one, other]) => [one, other].filter((code) => code !== undefined)),
  );
  expect(own.length).toBeGreaterThan(8);
  const known = new Set(ERROR_CLASSES.map(({ code }) => code));
  expect([...new Set(own)].filter((code) => !known.has(code) && !page.includes(`| \`${code}\``))).toEqual([]);
});
