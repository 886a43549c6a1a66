/** The ports of the embedded cloud, with what its options put in their place. */
import { sentBy } from '../notify/send.ts';
import type { Notifier } from '../ports/notices.ts';
import type { Ports } from '../ports/ports.ts';

type Wrapped = Pick<Ports, 'broker' | 'backend' | 'timers'>;

interface Wrapping {
  readonly wrapPorts?: (ports: Wrapped) => Wrapped;
  readonly notifier?: Notifier;
}

export function wrapped(ports: Wrapped & Pick<Ports, 'notify'>, { wrapPorts, notifier }: Wrapping): Partial<Ports> {
  return { ...wrapPorts?.(ports), notify: notifier === undefined ? ports.notify : sentBy(notifier, ports.notify) };
}
