/** Links between pages lead somewhere: to a file that the package ships, and to a heading of it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import { describe, expect, it } from 'vitest';

const PAGES = ['README.md', ...readdirSync('docs').flatMap((file) => (file.endsWith('.md') ? [`docs/${file}`] : []))];

interface Link {
  readonly page: string;
  readonly target: string;
}

/** Without code, where brackets are something else. */
function proseOf(page: string): string {
  return readFileSync(page, 'utf8')
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, '');
}

const links: readonly Link[] = PAGES.flatMap((page) =>
  [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({ page, target })),
);
const internal = links.filter(({ target }) => !/^\w+:/.test(target));

/** As GitHub makes them, and npm's page, which shows GitHub's. */
function anchorsOf(page: string): readonly string[] {
  const headings = [
    ...readFileSync(page, 'utf8')
      .replace(/^```[\s\S]*?^```/gm, '')
      .matchAll(/^#+ (.+)$/gm),
  ];
  return headings.map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' }),
) as { readonly files: readonly { readonly path: string }[] }[];
const shipped = new Set(packed?.files.map(({ path }) => path));

describe('links of the pages', () => {
  it.each(internal)('$page: $target', ({ page, target }) => {
    const [file = '', anchor] = target.split('#');
    const path = file === '' ? page : normalize(join(dirname(page), file));
    expect(existsSync(path)).toBe(true);
    expect(shipped).toContain(path);
    if (anchor !== undefined) expect(anchorsOf(path)).toContain(anchor);
  });

  it('each page is reached from README', () => {
    const reached = new Set(['README.md']);
    // A set is walked through what is added on the way, too.
    for (const page of reached)
      for (const link of internal)
        if (link.page === page) reached.add(normalize(join(dirname(page), link.target.split('#')[0] ?? '')));
    expect(PAGES.filter((page) => !reached.has(page))).toEqual([]);
  });

  it('others are of https', () => {
    for (const { target } of links) if (/^\w+:/.test(target)) expect(target).toMatch(/^https:\/\//);
  });
});

describe('the package', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
    readonly repository: { readonly url: string };
    readonly homepage: string;
    readonly bugs: string;
    readonly publishConfig: object;
  };

  it('says where relative links of its page lead, and is published with its provenance', () => {
    const [, address = ''] = /^git\+(https:\/\/github\.com\/[\w-]+\/[\w-]+)\.git$/.exec(manifest.repository.url) ?? [];
    expect(address).not.toBe('');
    expect(manifest.homepage).toBe(`${address}#readme`);
    expect(manifest.bugs).toBe(`${address}/issues`);
    expect(manifest.publishConfig).toEqual({ access: 'public', provenance: true });
  });

  it('holds its pages and no tests', () => {
    expect([...PAGES, 'LICENSE', 'CHANGELOG.md'].filter((path) => !shipped.has(path))).toEqual([]);
    expect([...shipped].filter((path) => /^(test|scripts|examples|\.)/.test(path))).toEqual([]);
  });
});

describe('workflows', () => {
  const folder = '.github/workflows';
  const workflows = readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')] as const);

  it.each(workflows)('%s runs what is run here, with pinned actions and few rights', (file, text) => {
    expect(text).toContain('run: .ci/run\n');
    const actions = [...text.matchAll(/uses: (\S+)/g)].map(([, action = '']) => action);
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions) expect(action).toMatch(/^actions\/[\w-]+@v\d+\.\d+\.\d+$/);
    expect(text).toMatch(/^permissions:\n {2}contents: read\n\n/m);
    const writing = [...text.matchAll(/^ +([\w-]+): write$/gm)].map(([, right]) => right);
    expect(writing).toEqual(file === 'release.yml' ? ['id-token'] : []);
    expect(text).not.toContain('secrets.');
  });
});
