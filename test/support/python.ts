/** The real Celery, for tests that ask it: `CELERIAC_PYTHON` names a Python that can import it. */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { expect } from 'vitest';

const python = process.env['CELERIAC_PYTHON'] ?? '';

/** Why Celery cannot be asked, which is said aloud; undefined where it can. */
export function reasonToSkip(what: string, modules = 'celery'): string | undefined {
  const reason = reasonWithout(modules);
  if (reason !== undefined)
    // oxlint-disable-next-line no-console
    console.log(`Skipped: ${what}: ${reason}; set CELERIAC_PYTHON to a Python that can import ${modules}.`);
  return reason;
}

function reasonWithout(modules: string): string | undefined {
  if (python === '') return 'CELERIAC_PYTHON is not set';
  const probe = spawnSync(python, ['-c', `import ${modules}`], { encoding: 'utf8' });
  if (probe.status === 0) return undefined;
  return `CELERIAC_PYTHON is '${python}', ${probe.error?.message ?? `import ${modules} ends with ${probe.status}`}`;
}

/** Runs a script that reads one question a line and writes one answer a line, both JSON. */
export async function askPython<A>(
  script: URL,
  questions: readonly unknown[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<A[]> {
  const child = spawn(python, [fileURLToPath(script)], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
  const answers: A[] = [];
  for await (const line of createInterface(child.stdout)) answers.push(JSON.parse(line) as A);
  expect(answers).toHaveLength(questions.length);
  return answers;
}
