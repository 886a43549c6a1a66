/** Callers as the ports have them: what fails for a passing reason comes again, as a message does that was not acknowledged. */
import { isPassing } from '../../lib/base/passing.ts';
import type { Broker, SendOutcome } from '../../lib/ports/broker.ts';

// Far beyond any weather: a call that never ends well is a fault of its own.
const MOST_CALLS = 300;

/** The same port, whose calls are made again until they end otherwise than by a passing error. */
export function retryingPort<P extends object>(port: P): P {
  return new Proxy(port, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const call = (): unknown => Reflect.apply(member, target, args);
        const answer = call();
        return answer instanceof Promise ? again(answer, call, 1) : answer;
      };
    },
  });
}

async function again(answer: Promise<unknown>, call: () => unknown, calls: number): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (!isPassing(error) || calls >= MOST_CALLS) throw error;
    return again(call() as Promise<unknown>, call, calls + 1);
  }
}

/** The same broker, whose callers send again what it says may be sent again. */
export function retryingBroker(broker: Broker): Broker {
  const port = retryingPort(broker);
  return {
    changeVisibility: (queue, receipt, delaySeconds) => port.changeVisibility(queue, receipt, delaySeconds),
    send: async (items) => {
      const outcomes: SendOutcome[] = await port.send(items);
      for (let calls = 1; calls < MOST_CALLS; calls += 1) {
        const open = [...outcomes.entries()].filter(([, outcome]) => !outcome.ok && outcome.retryable);
        if (open.length === 0) break;
        const sent = await port.send(open.flatMap(([index]) => items[index] ?? []));
        for (const [position, [index, before]] of open.entries()) outcomes[index] = sent[position] ?? before;
      }
      return outcomes;
    },
  };
}
