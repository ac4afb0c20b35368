/** Orders as what they bring into the day: reminders that know their order. Pure. */
import type { Json, Row } from '../offline/model';
import { readReminder } from '../plan/day';
import type { Reminder } from '../plan/model';
import { activeOf, doseText, noteIn, planOf, spoken, type TimesOrder } from './order';

/** The reminders of the orders' active versions; `space` is where the orders lie, `language` that of whoever reads. */
export function planned(orders: readonly Row[], space: string, language: string): Reminder[] {
  return orders.flatMap((row) => reminderOf(row, row.doc, space, language) ?? []);
}

/** What an order planned that was stopped or has ended, for what was given of it; null for one of another kind. */
export function former(row: Row, space: string, language: string): Reminder | null {
  const v = activeOf(row.doc);
  const active = row.doc['active'] as { ver: string } | undefined;
  if (v === null || active === undefined) return null;
  const open = { ...row.doc, active: { ...active, v: { ...v, stopped: null, until: null } } };
  return reminderOf(row, open, space, language);
}

/** A dose as it was when it was given: of another version's amount only what was said of it then is known. */
export function given(
  reminder: Reminder,
  { ver, amount }: Readonly<Record<string, Json>>,
  language: string,
): Reminder {
  if (reminder.order === undefined || typeof ver !== 'string' || ver === reminder.order.ver)
    return reminder;
  return { ...reminder, note: typeof amount === 'string' ? spoken(amount, language) : '' };
}

function reminderOf(row: Row, doc: Row['doc'], space: string, language: string): Reminder | null {
  const plan = planOf(doc);
  if (plan === null) return null;
  const { ver, v } = doc['active'] as unknown as { ver: string; v: TimesOrder };
  const shown = { ...plan, note: noteIn(doc, language) } as unknown as Row['doc'];
  const order = { space, ver, said: { ver, amount: doseText(v, 'en') } };
  return { ...readReminder({ ...row, doc: shown }), order };
}
