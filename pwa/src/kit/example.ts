/** A day to show the components with. Not anybody's. */
import type { Family, Item, ItemState } from '../plan/model';
import { clockOf, minuteOf } from '../plan/time';

const CATEGORY: Record<Family, string> = {
  meal: 'meal',
  sleep: 'sleep',
  rest: 'rest',
  med: 'medication',
  act: 'movement',
  care: 'hygiene',
};

type Line = [title: string, family: Family, symbol: string, from: string, minutes: number];

const DAY: readonly Line[] = [
  ['Frukost', 'meal', 'porridge', '07:30', 45],
  ['Medicin', 'med', 'pill', '08:00', 0],
  ['Dusch', 'care', 'shower', '09:00', 45],
  ['Mellanmål', 'meal', 'banana', '10:00', 25],
  ['Promenad', 'act', 'walk', '10:45', 45],
  ['Lunch', 'meal', 'plate-fish', '12:00', 45],
  ['Vila', 'rest', 'sofa', '13:00', 60],
  ['Mellanmål', 'meal', 'strawberry', '14:30', 30],
  ['Pussel', 'act', 'puzzle', '15:15', 60],
  ['Middag', 'meal', 'casserole', '17:15', 45],
  ['Radio', 'act', 'radio', '19:00', 60],
  ['Medicin', 'med', 'pill', '20:00', 0],
  ['Kvällsmål', 'meal', 'sandwich', '20:30', 30],
  ['Sova', 'sleep', 'sleep', '22:00', 540],
];
const SHARED: readonly Line[] = [
  ['Besök', 'act', 'home', '16:30', 150],
  ['Tänder', 'care', 'toothbrush', '18:30', 20],
];

export function anItem(line: Line, state: ItemState): Item {
  const [title, family, symbol, from, minutes] = line;
  const start = minuteOf(from) ?? 0;
  const until = clockOf((start + minutes) % 1440);
  return {
    occ: `${title}@2026-11-23T${from}`,
    reminder: {
      id: `${title} ${from}`,
      title,
      category: CATEGORY[family],
      label: '',
      symbol,
      note: title === 'Lunch' ? 'Fisk med potatis' : '',
      minutes,
      checkable: family !== 'sleep' && family !== 'rest',
      grace: null,
      criticality: 'normal',
      ring: { start: true, again: true, before: null },
      rule: { zone: 'UTC', kind: 'once', at: `2026-11-23T${from}` },
    },
    family,
    start: start * 60_000,
    end: (start + minutes) * 60_000,
    from,
    until,
    state,
    missedAt: (start + 30) * 60_000,
    outcome: null,
    completion: null,
    by: null,
    doneAt: null,
    snoozedUntil: null,
    rangAt: null,
  };
}

/** The day at one minute; `open`: the title of what nobody answered. */
export function dayAt(minute: number, { open = '', shared = false } = {}): Item[] {
  return [...DAY, ...(shared ? SHARED : [])].map((line) => {
    const [title, family, , from, minutes] = line;
    const start = minuteOf(from) ?? 0;
    // Before its end in the morning, last night's sleep is still on.
    const slept = family === 'sleep' && minute < start + minutes - 1440;
    const on = slept || (start <= minute && minute < start + Math.max(minutes, 15));
    if (on) return anItem(line, 'now');
    if (minute < start) return anItem(line, 'later');
    return anItem(line, title === open ? 'open' : 'done');
  });
}
