import { describe, expect, it } from 'vitest';

import type { Order } from '../../medication/order';
import { same } from '../../plan/editor/form';
import { blankOrder, formOfOrder, orderOf, problemsOfOrder } from './order-form';

const base = { zone: 'Europe/Stockholm', date: '2026-11-27', language: 'sv' };
const filled = { ...blankOrder(base), drug: 'Metoprolol', unit: 'tablett' };

describe('the form of an order', () => {
  it('says what is missing where it is missing', () => {
    expect(problemsOfOrder(filled, null)).toEqual({});
    expect(problemsOfOrder(blankOrder(base), null)).toEqual({ drug: 'empty', unit: 'empty' });
    expect(problemsOfOrder({ ...filled, dose: 'en', days: [], until: '2026-11-01' }, null)).toEqual(
      { dose: 'malformed', days: expect.anything() as string, until: 'backwards' },
    );
    expect(problemsOfOrder({ ...filled, times: ['08:00', '8'] }, null)).toHaveProperty('times');
  });

  it('takes a comma in a dose, and never makes a number of it', () => {
    expect(orderOf({ ...filled, dose: '0,25' }, null)).toMatchObject({ dose: '0.25' });
    expect(orderOf({ ...filled, dose: '0.25' }, null)).toMatchObject({ dose: '0.25' });
  });

  it('shows a dose as whoever fills it in writes decimals', () => {
    const order = orderOf({ ...filled, dose: '2.5' }, null) as unknown as Order;
    const shown = ['sv', 'fi', 'en'].map((language) => formOfOrder(order, { ...base, language }));
    expect(shown.map(({ dose }) => dose)).toEqual(['2,5', '2,5', '2.5']);
  });

  it('keeps which delegation an order asks for, and says nothing of it where the order did not', () => {
    const silent = orderOf(filled, null);
    const asking = orderOf({ ...filled, delegation: 'insulin' }, null);
    const [before, with_] = [silent, asking].map((v) => v as unknown as Order) as [Order, Order];

    expect(silent).not.toHaveProperty('delegation');
    expect(orderOf(formOfOrder(before, base), before)).toEqual(silent);
    expect(orderOf(formOfOrder(with_, base), with_)).toEqual(asking);
    expect(orderOf({ ...formOfOrder(with_, base), delegation: '' }, with_)).toMatchObject({
      delegation: null,
    });
  });

  it('asks of a medicine as needed why, how often and how many', () => {
    const needed = { ...filled, kind: 'as_needed' as const, hours: '0', most: '' };
    expect(problemsOfOrder(needed, null)).toMatchObject({
      why_needed: 'empty',
      min_interval: 'out_of_range',
      max_24h: 'malformed',
    });
    const whole = { ...filled, kind: 'as_needed' as const, whyNeeded: 'Smärta' };
    expect(orderOf(whole, null)).toMatchObject({ min_interval: 'PT4H0M', max_24h: 4 });
  });

  it('gives back the order that it was opened with', () => {
    const order = orderOf({ ...filled, everyWeeks: 2, until: '2027-01-31' }, null);
    const again = orderOf(formOfOrder(order as unknown as Order, base), order as unknown as Order);
    expect(same(order, again)).toBe(true);
  });

  it('keeps a rule that it has no boxes for', () => {
    const rule = { kind: 'rrule', rrule: 'FREQ=MONTHLY', times: ['08:00'], start: '2026-11-27' };
    const order = { ...orderOf(filled, null), rule: { ...rule, zone: base.zone } };
    const opened = formOfOrder(order as unknown as Order, base);
    expect(orderOf({ ...opened, dose: '2' }, order as unknown as Order)['rule']).toEqual(
      order.rule,
    );
  });
});
