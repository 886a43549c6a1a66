/** Simulations over the AWS adapters: the same seeds, with what goes wrong request by request. */
import { awsAdapters, type AwsWorldOptions } from '../../support/fake-services/world-adapters.ts';
import type { TableWrite } from '../../support/fake-services/fake-dynamodb.ts';
import type { Ledger } from '../world/ledger.ts';
import type { SimulationOptions } from '../world/simulate.ts';
import { refusingWire } from './refusing-wire.ts';
import { watchTables } from './table-watch.ts';

// Chance that a request takes a moment.
const SLOW = 0.05;
// Twice the skew of the simulation's clocks.
const SKEW_MS = 4000;

type Over = NonNullable<SimulationOptions['over']>;

/** For `over` of a simulation. `client` stands between the adapters and the wire. */
export function overAws(client?: AwsWorldOptions['client']): Over {
  return (ledger) => watched(ledger, { slow: SLOW, ...(client === undefined ? {} : { client }) }, SKEW_MS);
}

/** No request takes any time, and all clocks are one. */
export const overCalmAws: Over = (ledger) => watched(ledger, {}, 0);

function watched(ledger: Ledger, options: AwsWorldOptions, skewMs: number): ReturnType<Over> {
  return (of) => {
    let watch = (_write: TableWrite): void => {};
    const { client = (send) => send } = options;
    const made = awsAdapters({
      ...options,
      client: (send) => refusingWire(ledger.facts.refusals, client(send)),
      onWrite: (write) => watch(write),
    })(of);
    watch = watchTables(ledger, { clock: of.clock, broker: made.queues }, skewMs);
    return made;
  };
}
