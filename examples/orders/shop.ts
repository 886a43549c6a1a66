/** Stands for what a real shop calls: a stock, a payment provider that is down at times, a mail server. */

export class OutOfStock extends Error {
  override readonly name = 'OutOfStock';
}

export class PaymentDown extends Error {
  override readonly name = 'PaymentDown';
}

export interface Parcel {
  readonly label: string;
}

interface Article {
  readonly cents: number;
  stock: number;
}

export class Shop {
  readonly articles = new Map<string, Article>([
    ['tea', { cents: 450, stock: 100 }],
    ['cup', { cents: 1200, stock: 3 }],
  ]);
  readonly payments = new Map<string, { readonly customer: string; readonly cents: number }>();
  readonly mails: string[] = [];
  /** How often the payment provider answers 503 before it works again. */
  outages = 0;
  readonly reserved = new Set<string>();
  readonly parcels = new Map<string, Parcel>();

  /** @returns the price of one. */
  reserve(key: string, sku: string, quantity: number): number {
    const article = this.articles.get(sku);
    if (article === undefined) throw new OutOfStock(`${sku} is not sold here`);
    if (!this.reserved.has(key)) {
      if (article.stock < quantity) throw new OutOfStock(`${article.stock} of ${sku} are left`);
      article.stock -= quantity;
      this.reserved.add(key);
    }
    return article.cents;
  }

  /** As payment providers do: one payment for each key, however often it is asked for. */
  async charge(key: string, customer: string, cents: number, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (this.outages > 0) {
      this.outages -= 1;
      throw new PaymentDown('503');
    }
    if (!this.payments.has(key)) this.payments.set(key, { customer, cents });
    return `payment ${[...this.payments.keys()].indexOf(key) + 1}`;
  }

  pack(key: string, sku: string): Parcel {
    const parcel = this.parcels.get(key) ?? { label: `${sku}-${this.parcels.size + 1}` };
    this.parcels.set(key, parcel);
    return parcel;
  }

  mail(to: string, text: string): string {
    this.mails.push(`${to}: ${text}`);
    return `sent to ${to}`;
  }

  sold(): number {
    return [...this.payments.values()].reduce((sum, { cents }) => sum + cents, 0);
  }
}

export const shop = new Shop();
