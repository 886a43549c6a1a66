/** On which ports `celeriac dev` listens: those that were asked for, or whichever somebody agrees to. */
import { DEFAULT_PORT, isFree, type IsFree, nextFree, takenPort } from '../dev/free-ports.ts';
import { CommandFailed, UsageError } from './failures.ts';
import type { Terminal } from './terminal.ts';

/**
 * @param given by `--port` @param last those of the last time
 * @throws UsageError for a taken port where nobody can be asked, CommandFailed for a no
 */
export async function choosePort(
  given: number | undefined,
  last: number | undefined,
  { isInteractive, confirm }: Pick<Terminal, 'isInteractive' | 'confirm'>,
  free: IsFree = isFree,
): Promise<number> {
  const first = given ?? last ?? DEFAULT_PORT;
  const taken = await takenPort(first, free);
  if (taken === undefined) return first;
  const next = await nextFree(first, free);
  const told = `Port ${taken} is taken, by another celeriac dev maybe.`;
  if (next === undefined) throw new UsageError(`${told} Give others: --port <port>.`);
  if (!isInteractive) throw new UsageError(`${told} These are free: --port ${next}.`);
  if (await confirm(`${told} Take ${next} and ${next + 1}?`)) return next;
  throw new CommandFailed('Nothing was started.');
}
