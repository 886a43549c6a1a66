/** Two projects side by side: the second is told of the taken port, and offered the next free ones. */
import { describe, expect, it } from 'vitest';

import { choosePort } from '../../lib/cli/dev-port.ts';

const freeBut =
  (...taken: number[]) =>
  (port: number): Promise<boolean> =>
    Promise.resolve(!taken.includes(port));

/** Somebody who is asked, and what of. */
function somebody(answer?: boolean) {
  const questions: string[] = [];
  return {
    questions,
    isInteractive: answer !== undefined,
    confirm: (question: string): Promise<boolean> => {
      questions.push(question);
      return Promise.resolve(answer === true);
    },
  };
}

describe('the ports of celeriac dev', () => {
  it('are those that are given, else those of the last time, else the usual ones: nobody is asked', async () => {
    const nobody = somebody();
    expect([
      await choosePort(4600, 4700, nobody, freeBut()),
      await choosePort(undefined, 4700, nobody, freeBut()),
      await choosePort(undefined, undefined, nobody, freeBut()),
    ]).toEqual([4600, 4700, 4576]);
  });

  it('where one of them is taken the next free ones are offered, and taken by a yes', async () => {
    const ada = somebody(true);
    expect(await choosePort(undefined, undefined, ada, freeBut(4577, 4579))).toBe(4580);
    expect(ada.questions).toEqual(['Port 4577 is taken, by another celeriac dev maybe. Take 4580 and 4581?']);
  });

  it('by a no nothing is started', async () => {
    const ada = somebody(false);
    await expect(choosePort(undefined, 4600, ada, freeBut(4600))).rejects.toThrow('Nothing was started.');
    expect(ada.questions).toHaveLength(1);
  });

  it('in a script nobody can be asked: it is told which are free', async () => {
    const nobody = somebody();
    await expect(choosePort(4600, undefined, nobody, freeBut(4600))).rejects.toThrow(
      'Port 4600 is taken, by another celeriac dev maybe. These are free: --port 4602.',
    );
    await expect(choosePort(65_534, undefined, nobody, freeBut(65_534))).rejects.toThrow('Give others: --port <port>.');
    expect(nobody.questions).toEqual([]);
  });
});
