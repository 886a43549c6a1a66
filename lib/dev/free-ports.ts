/** Which ports `celeriac dev` listens on: the same each time, and others where those are taken. */
import { createServer } from 'node:net';

/** One for SQS, and the next one for DynamoDB. */
export const DEFAULT_PORT: number = 4576;
export const PORTS: number = 2;
// Projects side by side are a few.
const TRIES = 50;
const LAST_PORT = 65_535;

export type IsFree = (port: number) => Promise<boolean>;

/** Whether nobody listens there on loopback. */
export const isFree: IsFree = (port) =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

/** The first of those ports that is taken; undefined where all are free. */
export async function takenPort(first: number, free: IsFree): Promise<number | undefined> {
  for (let port = first; port < first + PORTS; port += 1) if (!(await free(port))) return port;
  return undefined;
}

/** The next ports that are free together; undefined where none are near. */
export async function nextFree(first: number, free: IsFree): Promise<number | undefined> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const port = first + tries * PORTS;
    if (port + PORTS - 1 > LAST_PORT) return undefined;
    if ((await takenPort(port, free)) === undefined) return port;
  }
  return undefined;
}
