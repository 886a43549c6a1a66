import { describe, expect, it } from 'vitest';

import { lazy, once } from '../../lib/base/lazy.ts';

class Counter {
  count = 0;
  add(by: number): Promise<number> {
    this.count += by;
    return Promise.resolve(this.count);
  }
}

describe('once', () => {
  it('makes one, when it is asked for', () => {
    let made = 0;
    const ask = once(() => (made += 1));
    expect(made).toBe(0);
    expect([ask(), ask(), made]).toEqual([1, 1, 1]);
  });
  it('keeps undefined too', () => {
    let made = 0;
    const ask = once(() => void (made += 1));
    ask();
    ask();
    expect(made).toBe(1);
  });
});

describe('lazy', () => {
  const counted = (): { readonly port: Counter; readonly loads: () => number } => {
    let loads = 0;
    const load = once(() => {
      loads += 1;
      return Promise.resolve(new Counter());
    });
    return { port: lazy<Counter>('counter', load, { count: 7 }), loads: () => loads };
  };

  it('loads at the first call, and calls the same object after it', async () => {
    const { port, loads } = counted();
    expect(loads()).toBe(0);
    expect(await port.add(2)).toBe(2);
    expect(await port.add(3)).toBe(5);
    expect(loads()).toBe(1);
  });

  it('has what is known at once, and is no promise', async () => {
    const { port, loads } = counted();
    expect(port.count).toBe(7);
    expect(await Promise.resolve(port)).toBe(port);
    expect(loads()).toBe(0);
  });

  it('rejects for what is no method, and when it cannot be loaded', async () => {
    const { port } = counted();
    await expect((port as unknown as { missing(): Promise<void> }).missing()).rejects.toThrow(
      'counter.missing is not a function',
    );
    const broken = lazy<Counter>('counter', () => Promise.reject(new Error('no file')));
    await expect(broken.add(1)).rejects.toThrow('no file');
  });
});
