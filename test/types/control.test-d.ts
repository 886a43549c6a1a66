import { Celeriac, type ControlReply, type GroupResult, type ResultSet } from 'celeriac';
import { describe, expectTypeOf, it } from 'vitest';

const app = new Celeriac('types');
const pay = app.task(
  'pay',
  { groupKey: (tenant: string, _amount: number) => tenant },
  (tenant: string, amount: number) => `${tenant} ${amount}`,
);

describe('revoking and control', () => {
  it('terminate is an option of every revoke', async () => {
    const result = await pay.delay('acme', 1);
    expectTypeOf(result.revoke({ terminate: true })).resolves.toEqualTypeOf<string>();
    // @ts-expect-error no such option
    void (() => result.revoke({ terminated: true }));
    // @ts-expect-error true or false
    void (() => result.revoke({ terminate: 'yes' }));
    void ((group: GroupResult, set: ResultSet) => {
      expectTypeOf(group.revoke({ terminate: true })).resolves.toBeVoid();
      expectTypeOf(set.revoke({ terminate: true })).resolves.toBeVoid();
    });
  });

  it('control takes ids, and rates', () => {
    void (() => {
      expectTypeOf(app.control.revoke('id')).resolves.toEqualTypeOf<string[]>();
      expectTypeOf(app.control.revoke(['a', 'b'], { terminate: true })).resolves.toEqualTypeOf<string[]>();
      expectTypeOf(app.control.rateLimit('pay', '10/m')).resolves.toEqualTypeOf<ControlReply>();
      expectTypeOf(app.control.rateLimit('pay', null)).resolves.toEqualTypeOf<ControlReply>();
      expectTypeOf(app.control.rateLimit('pay')).resolves.toEqualTypeOf<ControlReply>();
    });
    // @ts-expect-error no unit of time
    void (() => app.control.rateLimit('pay', '10/w'));
  });

  it('a group key is text, or a function that gives text', () => {
    app.task('text', { groupKey: 'one' }, () => 1);
    // @ts-expect-error a number is no text
    void (() => app.task('number', { groupKey: 7 }, () => 1));
    // @ts-expect-error a function that gives a number
    void (() => app.task('gives', { groupKey: (amount: number) => amount }, (amount: number) => amount));
    void (() => pay.applyAsync(['acme', 1], { groupKey: 'acme' }));
    // @ts-expect-error the earlier name
    void (() => pay.applyAsync(['acme', 1], { fairKey: 'acme' }));
  });
});
