/** The page as it is shipped: small, and nothing in it that the content security policy would refuse. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { build, type Rolldown } from 'vite';
import { beforeAll, expect, it } from 'vitest';

const MOST_BYTES = 150 * 1024;
let files: readonly { readonly name: string; readonly text: string }[];

beforeAll(async () => {
  const configFile = fileURLToPath(new URL('../../lib/monitor/page/vite.config.ts', import.meta.url));
  const { output } = (await build({
    configFile,
    logLevel: 'silent',
    build: { write: false },
  })) as Rolldown.RolldownOutput;
  files = output.map((file) => ({
    name: file.fileName,
    text: file.type === 'chunk' ? file.code : String(file.source),
  }));
});

it('the first view is under 150 KB, gzipped', () => {
  const bytes = files.reduce((sum, { text }) => sum + gzipSync(text).length, 0);
  expect(bytes).toBeLessThan(MOST_BYTES);
  // Something was built.
  expect(bytes).toBeGreaterThan(20 * 1024);
});

it('has no inline script or style, and nothing from elsewhere', () => {
  const index = files.find(({ name }) => name === 'index.html')?.text ?? '';
  expect(index).toMatch(/<script type="module" [^>]*src="\/assets\//);
  expect(index.replaceAll(/<script [^>]*src="\/[^>]*><\/script>/g, '')).not.toMatch(/<script|<style| style=| on\w+=/);
  expect(index).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  for (const { text } of files.filter(({ name }) => name.endsWith('.css')))
    expect(text).not.toMatch(/@import|url\(["']?https?:/);
});

it('assets have names of their own for each content', () => {
  const others = files.filter(({ name }) => name !== 'index.html').map(({ name }) => name);
  expect(others.every((name) => /^assets\/[\w-]+-[\w-]{8}\.\w+$/.test(name))).toBe(true);
});
