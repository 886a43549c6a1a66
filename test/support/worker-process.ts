/** A worker in a process of its own, wired by its environment as on Lambda; it reports when it is ready and when a task has started. */
import { Celeriac, type Delivery, type Invocation, silentLogger } from 'celeriac';

export const app = new Celeriac('lost', { maxDeliveries: 1, logger: silentLogger });
for (const acksLate of [true, false]) {
  app.task(`job.${acksLate}`, { acksLate }, async () => {
    process.send?.('started');
    await new Promise(() => {});
  });
}

process.on('message', (batch: { readonly deliveries: Delivery[]; readonly invocation: Invocation }) => {
  void app.consume(batch.deliveries, batch.invocation).then((response) => process.send?.(response));
});

// What Lambda does before the first invocation, and does not count in it: modules are loaded, ports are wired.
await app.ports();
process.send?.('ready');
