/** `celeriac complete`: a script for each shell, and what could come next. As processes: a shell sees their standard output. */
import { expect, it } from 'vitest';

import { celeriac, celeriacProcess } from '../support/celeriac.ts';

it('prints a script for a shell', async () => {
  const { code, printed } = await celeriacProcess({}, 'complete', 'zsh');
  expect([code, printed]).toEqual([0, expect.stringContaining('#compdef celeriac')]);
});

it('tells what could come next: commands, subcommands, options', async () => {
  const next = async (...words: readonly string[]): Promise<string> =>
    (await celeriacProcess({}, 'complete', '--', ...words)).printed;
  expect(await next('pa')).toContain('pause');
  expect(await next('dlq', '')).toContain('redrive');
  expect(await next('pause', '--w')).toContain('--why');
});

it('asks which shell', async () => {
  expect(await celeriac('complete')).toMatchObject({ code: 2, complained: expect.stringContaining('Which shell?') });
});
