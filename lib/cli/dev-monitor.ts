/** The monitor of `celeriac dev`: the same address for as long as it runs, over whatever the code has become. */
import { errorText } from '../base/error-text.ts';
import type { MonitorServer } from '../monitor/serve.ts';
import type { Service } from './service.ts';
import type { Terminal } from './terminal.ts';

export class DevMonitor {
  readonly #terminal: Terminal;
  readonly #port: number;
  #server: MonitorServer | undefined;
  #service: Service | undefined;
  #work: Promise<void> = Promise.resolve();

  /** @param port where it is free; else any is taken */
  constructor(terminal: Terminal, port: number) {
    this.#terminal = terminal;
    this.#port = port;
  }

  /** The service was made anew: its queues and tasks may be others. */
  follow(): Promise<void> {
    this.#work = this.#work.then(() => this.#restart());
    return this.#work;
  }

  async stop(): Promise<void> {
    await this.#work;
    await this.#close();
  }

  async #restart(): Promise<void> {
    const { variables, folder } = this.#terminal;
    const known = this.#server;
    await this.#close();
    try {
      const [{ openService }, { monitoredService }, { serveMonitor }] = await Promise.all([
        import('./find-service.ts'),
        import('./monitored-service.ts'),
        import('../monitor/serve.ts'),
      ]);
      // What AWS variables say of a service elsewhere is not this one's.
      this.#service = await openService({}, { ...this.#terminal, folder });
      const parts = { service: monitoredService(this.#service), user: variables['USER'] ?? 'local' };
      this.#server =
        known === undefined
          ? await serveMonitor({ ...parts, port: this.#port }).catch(() => serveMonitor({ ...parts, port: 0 }))
          : await serveMonitor({ ...parts, port: Number(new URL(known.url).port), token: known.token });
      if (known === undefined) this.#terminal.print(`  monitor   ${this.#server.address}\n`);
    } catch (error) {
      // Tasks run without it.
      this.#terminal.complain(`  monitor   not served: ${errorText(error).message}`);
    }
  }

  async #close(): Promise<void> {
    await this.#server?.stop();
    this.#service?.close();
    this.#service = undefined;
  }
}
