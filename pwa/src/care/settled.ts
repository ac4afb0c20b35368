/** A resident's day as it was answered, and what medicines bring into it: fetched once the first screen stands. */
import { language } from '../app/i18n.svelte';
import { mos } from '../app/mos.svelte';
import { former, given, planned as plannedBy } from '../medication/planned';
import { readReminder, type At, type DaySource } from '../plan/day';
import type { Item, Reminder } from '../plan/model';
import { dayOf as movedDayOf } from '../plan/moved';
import { medicinesOf } from './day.svelte';

/** The reminders of the active versions of a resident's orders. */
export function planned(space: string | null): Reminder[] {
  const medicines = medicinesOf(space);
  if (medicines === undefined) return [];
  return plannedBy(mos.replica.rows(medicines, 'order'), medicines, language());
}

/** A resident's items on a local date. */
export function dayOf(source: DaySource, at: At): Item[] {
  return movedDayOf(source, at, {
    former: (id) => formerly(source.space ?? '', id),
    given: (reminder, said) => given(reminder, said, language()),
  });
}

/** A reminder or an order that plans nothing any more, as it was. */
function formerly(space: string, id: string): Reminder | null {
  const medicines = medicinesOf(space) ?? '';
  const order = mos.replica.row(medicines, 'order', id);
  if (order !== undefined) return former(order, medicines, language());
  const row = mos.replica.row(space, 'reminder', id);
  return row === undefined ? null : readReminder(row);
}
