/** The ports, as one delivery in a worker process sees them: what it claims is renewed, and what it has lost is not written. */
import type { Backend } from '../ports/backend.ts';
import type { Broker } from '../ports/broker.ts';
import type { Ports } from '../ports/ports.ts';
import type { HeldDelivery } from './held-delivery.ts';

export function heldPorts(ports: Ports, held: HeldDelivery): Ports {
  return { ...ports, broker: heldBroker(ports.broker, held), backend: heldBackend(ports, held) };
}

function heldBroker(broker: Broker, held: HeldDelivery): Broker {
  return {
    send: (items) => broker.send(items),
    changeVisibility: (queue, receipt, seconds) => {
      // Whoever gives it back says when it comes again; what is another's by now is not ours to hide.
      if (held.isLost && receipt === held.delivery.receipt) return Promise.resolve();
      if (receipt === held.delivery.receipt) held.shown();
      return broker.changeVisibility(queue, receipt, seconds);
    },
  };
}

function heldBackend({ backend, clock }: Ports, held: HeldDelivery): Backend {
  return {
    claim: async (requests) => {
      const kept = requests.map((request) => ({ ...request, ...held.leaseFrom(clock.nowMs()) }));
      const outcomes = await backend.claim(kept);
      for (const [index, outcome] of outcomes.entries()) {
        const claim = kept[index];
        if (outcome.kind === 'claimed' && claim !== undefined) held.claimed(claim);
      }
      return outcomes;
    },
    commit: async (requests) => {
      held.letGo();
      return held.isLost ? requests.map(() => false) : backend.commit(requests);
    },
    release: async (request) => {
      held.letGo();
      return held.isLost ? false : backend.release(request);
    },
    // Another worker may run it by now: what runs here is told to end.
    terminated: async (ids) => (held.isLost ? ids.map(() => true) : backend.terminated(ids)),
    update: async (request) => (held.isLost ? 'lost' : backend.update(request)),
    noteSettled: (request) => backend.noteSettled(request),
    conclude: (requests) => backend.conclude(requests),
    revoke: (request) => backend.revoke(request),
    get: (...asked) => backend.get(...asked),
    reopen: (request) => backend.reopen(request),
    forget: (ids) => backend.forget(ids),
  };
}
