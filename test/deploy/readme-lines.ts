/** What the README tells users to type to deploy. */
import { readFileSync } from 'node:fs';

/** @throws Error where the README has no such lines. */
export function readmeLines(): string[] {
  const section = /^## Deploy\n(.*?)^## /ms.exec(readFileSync('README.md', 'utf8'))?.[1] ?? '';
  const block = /```sh\n(.*?)```/s.exec(section)?.[1] ?? '';
  const lines = block.split('\n').filter((line) => line.includes('cdk '));
  if (lines.length === 0) throw new Error('The section "Deploy" of README.md has no lines with cdk.');
  return lines;
}
