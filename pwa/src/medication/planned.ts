/** Orders as what they bring into the day: reminders that know their order. Pure. */
import type { Row } from '../offline/model';
import { readReminder } from '../plan/day';
import type { Reminder } from '../plan/model';
import { planOf } from './order';

/** The reminders of the orders' active versions; `space` is where the orders lie. */
export function planned(orders: readonly Row[], space: string): Reminder[] {
  return orders.flatMap((row) => {
    const plan = planOf(row.doc);
    if (plan === null) return [];
    const doc = { ...plan } as unknown as Row['doc'];
    const { ver } = row.doc['active'] as { ver: string };
    return [{ ...readReminder({ ...row, doc }), order: { space, ver } }];
  });
}
