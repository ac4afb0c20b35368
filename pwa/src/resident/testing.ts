/** Builders for tests of the resident's rules. */
import type { Item, Reminder } from '../plan/model';

const DAY = '2026-11-27';
export const at = (clock: string): number => Date.parse(`${DAY}T${clock}:00Z`);

export function anItem(
  changes: Partial<Omit<Item, 'reminder'>> & { reminder?: Partial<Reminder> } = {},
): Item {
  const { reminder, ...rest } = changes;
  const from = rest.from ?? '12:00';
  const until = rest.until ?? '12:45';
  return {
    occ: `r1@${DAY}T${from}`,
    family: 'meal',
    start: at(from),
    end: at(until),
    from,
    until,
    state: 'now',
    missedAt: at(from) + 30 * 60_000,
    outcome: null,
    completion: null,
    by: null,
    doneAt: null,
    snoozedUntil: null,
    rangAt: null,
    ...rest,
    reminder: {
      id: 'r1',
      title: 'Lunch',
      category: 'meal',
      label: '',
      symbol: 'fish',
      note: '',
      minutes: 45,
      checkable: true,
      grace: null,
      criticality: 'normal',
      ring: { start: true, again: true, before: null },
      rule: { zone: 'UTC', kind: 'once', at: `${DAY}T${from}` },
      ...reminder,
    },
  };
}
