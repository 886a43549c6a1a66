/** The tasks of a shop: an order is checked line by line, charged once, shipped, and its day is added up at night. */
import { Celeriac, chain, chord, crontab, currentTask, Reject, type TaskOptions } from 'celeriac';

import { OutOfStock, type Parcel, PaymentDown, shop } from './shop.ts';

export interface OrderLine {
  readonly sku: string;
  readonly quantity: number;
}

export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly lines: readonly OrderLine[];
}

export interface ReservedLine extends OrderLine {
  readonly cents: number;
}

export interface Receipt {
  readonly order: string;
  readonly cents: number;
  readonly payment: string;
}

export const app = new Celeriac('orders', {
  // The orders of one customer one after another; everything else as it comes.
  queues: { default: {}, payments: { fifo: true }, mail: { concurrency: 5 } },
  routes: { 'payments.*': 'payments', 'mail.*': 'mail' },
  resultExpires: '7d',
});

/** What tasks that change an order share: their options, and whom they tell when it fails for good. */
export abstract class OrderTask<A extends readonly unknown[], R> extends app.Task<A, R> {
  static override readonly abstract: boolean = true;
  static override readonly options: TaskOptions = { maxRetries: 4, retryBackoff: true, retryJitter: false };

  override async onFailure(error: unknown): Promise<void> {
    await tellSupport.delay(this.request.rootId, this.request.task, String(error));
  }
}

class Reserve extends OrderTask<[order: string, line: OrderLine], ReservedLine> {
  static override readonly taskName = 'orders.reserve';
  static override readonly options: TaskOptions = { throws: [OutOfStock] };

  run(order: string, line: OrderLine): ReservedLine {
    if (!Number.isInteger(line.quantity) || line.quantity < 1)
      throw new Reject(`${order}: ${line.quantity} of ${line.sku}`);
    // Keyed by order and article: reserved once, however often this runs.
    return { ...line, cents: shop.reserve(`${order}/${line.sku}`, line.sku, line.quantity) };
  }
}

class Charge extends OrderTask<[lines: readonly ReservedLine[], order: string, customer: string], Promise<Receipt>> {
  static override readonly taskName = 'payments.charge';
  static override readonly options: TaskOptions = { autoretryFor: [PaymentDown], timeLimit: '30s' };

  async run(lines: readonly ReservedLine[], order: string, customer: string): Promise<Receipt> {
    const cents = lines.reduce((sum, line) => sum + line.cents * line.quantity, 0);
    // The id stays the same in every retry, so the payment provider sees one payment.
    const payment = await shop.charge(this.request.id, customer, cents, this.self.signal);
    this.self.logger.info('charged', { order, cents });
    return { order, cents, payment };
  }
}

export const reserve = app.register(Reserve);
export const charge = app.register(Charge);

/**
 * Packs parcel by parcel, and says how far it is. That may fail as any request may; parcels are keyed, so packing again
 * packs none twice.
 */
export const ship = app.task(
  'orders.ship',
  { bind: true, autoretryFor: [Error], retryBackoff: true, timeLimit: '5m', softTimeLimit: '4m' },
  async (self, receipt: Receipt, lines: readonly OrderLine[]) => {
    const parcels: Parcel[] = [];
    for (const [index, line] of lines.entries()) {
      self.signal.throwIfAborted();
      parcels.push(shop.pack(`${receipt.order}/${line.sku}`, line.sku));
      await self.progress(index + 1, lines.length);
    }
    return { order: receipt.order, cents: receipt.cents, parcels: parcels.map(({ label }) => label) };
  },
);

export const confirm = app.task('mail.confirm', (shipped: { readonly order: string }, customer: string): string =>
  shop.mail(customer, `Your order ${shipped.order} is on its way.`),
);

export const tellSupport = app.task('mail.tell-support', (order: string, task: string, why: string): string =>
  shop.mail('support', `${task} of ${order}: ${why}`),
);

/** Takes what was sold on the day before its tick. */
export const closeDay = app.task('orders.close-day', () => {
  const tick = currentTask().request.schedule?.scheduledTime ?? new Date();
  const day = new Date(tick.getTime() - 86_400_000).toISOString().slice(0, 10);
  return { day, cents: shop.sold() };
});

/** Reserve every line side by side, then charge, ship and confirm. An order that is placed twice is charged once. */
export function place(order: Order) {
  const reserved = order.lines.map((line) => reserve.s(order.id, line));
  const charged = charge
    .signature([order.id, order.customer], { groupKey: order.customer, taskId: `charge-${order.id}` })
    .linkError(tellSupport.si(order.id, 'orders.place', 'was not charged'));
  return chain(chord(reserved, charged), ship.s(order.lines), confirm.s(order.customer));
}

app.beat({
  // Two in the morning in the shop's own time zone, also where clocks change.
  'close-day': { task: closeDay.s(), schedule: crontab({ minute: 0, hour: 2 }, { timezone: 'Europe/Berlin' }) },
});
