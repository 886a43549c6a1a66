/** The folder in which `celeriac dev` keeps what there is: queues, tables, rules, ports, and the variables for others. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { read } from '../base/error-text.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import type { KeptRule } from '../memory/memory-rules.ts';

export class StateFolder {
  readonly path: string;

  /** @param path for example `.celeriac` */
  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes the folder and takes it: two processes on it would each have a truth of their own, and the server of queues lets them.
   * @param fresh deletes what it held before
   * @throws ImproperlyConfigured where another process that lives has it
   */
  static async take(path: string, { fresh }: { readonly fresh: boolean }): Promise<StateFolder> {
    const folder = new StateFolder(path);
    await mkdir(path, { recursive: true });
    await folder.#lock();
    // But for the lock: whoever comes meanwhile sees that it is taken.
    if (fresh) await Promise.all(STATE.map((name) => rm(join(path, name), { recursive: true, force: true })));
    await Promise.all([folder.sqs, folder.dynamodb].map((each) => mkdir(each, { recursive: true })));
    // Nobody commits it by mistake.
    await writeFile(join(path, '.gitignore'), '*\n');
    return folder;
  }

  get sqs(): string {
    return join(this.path, 'sqs');
  }

  get dynamodb(): string {
    return join(this.path, 'dynamodb');
  }

  /** Of compiled code. Of this folder, which is its user's own: what lies here is run. */
  get cache(): string {
    return join(this.path, 'cache');
  }

  /** The port that this project had last; undefined before. */
  async port(): Promise<number | undefined> {
    const port = (await this.#read('port.json')) as number | undefined;
    return Number.isInteger(port) ? port : undefined;
  }

  keepPort(port: number): Promise<void> {
    return this.#write('port.json', JSON.stringify(port));
  }

  async rules(): Promise<readonly KeptRule[]> {
    const rules = await this.#read('rules.json');
    return Array.isArray(rules) ? (rules as KeptRule[]) : [];
  }

  keepRules(rules: readonly KeptRule[]): Promise<void> {
    return this.#write('rules.json', JSON.stringify(rules));
  }

  /** For `node --env-file` and for commands in this folder. @returns its path */
  async writeVariables(variables: Readonly<Record<string, string>>): Promise<string> {
    // JSON in single quotes: both parsers of Node take it as it stands.
    const lines = Object.entries(variables).map(([name, value]) => `${name}='${value}'\n`);
    await this.#write('env', lines.join(''));
    return join(this.path, 'env');
  }

  /** Others do not find it any more; what it holds stays. */
  async leave(): Promise<void> {
    await Promise.all(['env', 'lock'].map((name) => rm(join(this.path, name), { force: true })));
  }

  async #lock(): Promise<void> {
    const path = join(this.path, 'lock');
    for (let tries = 0; tries < 2; tries += 1)
      try {
        await writeFile(path, String(process.pid), { flag: 'wx' });
        return;
      } catch (error) {
        if (read(error as object, 'code') !== 'EEXIST') throw error;
        const owner = Number(await readFile(path, 'utf8').catch(() => ''));
        if (isAlive(owner))
          throw new ImproperlyConfigured(
            `celeriac dev runs here already: process ${owner} has ${this.path}. Stop it first; if that is another program, delete ${path}.`,
          );
        // Left by one that was killed.
        await rm(path, { force: true });
      }
    throw new ImproperlyConfigured(`Another celeriac dev is starting here: ${path}.`);
  }

  async #read(name: string): Promise<unknown> {
    try {
      return JSON.parse(await readFile(join(this.path, name), 'utf8')) as unknown;
    } catch {
      return undefined;
    }
  }

  /** Whole or not at all: it may be killed meanwhile. */
  async #write(name: string, text: string): Promise<void> {
    const path = join(this.path, name);
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  }
}

const STATE: readonly string[] = ['sqs', 'dynamodb', 'rules.json'];

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Of another user's it is not for us to ask.
    return read(error as object, 'code') === 'EPERM';
  }
}
