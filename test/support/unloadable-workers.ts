/** Workers whose code does not load: their batches fail before anything of a message is handled. */
import type { Ports } from 'celeriac';
import type { World } from 'celeriac/testing';

export interface UnloadableWorkers {
  /** The option of the world that they are workers of. */
  readonly wrapPorts: (ports: Ports) => Ports;
  /** To be called once the world is there. */
  readonly attach: (world: World) => void;
}

/** @param isUnloadable whether a worker of this queue fails now; asked once for each of its batches. */
export function unloadableWorkers(isUnloadable: (queue: string) => boolean): UnloadableWorkers {
  let fails = false;
  return {
    wrapPorts: (ports) =>
      fails
        ? new Proxy(ports, {
            get: () => {
              throw new Error('the bundle does not load');
            },
          })
        : ports,
    attach: ({ broker }) => {
      const receive = broker.receive.bind(broker);
      // A batch is handed to its worker before the next one is received.
      broker.receive = (queue, max) => {
        const batch = receive(queue, max);
        fails = batch.length > 0 && isUnloadable(queue);
        return batch;
      };
    },
  };
}
