/** A day of which something was answered that the plan no longer has: it stays, and what it stands for is not asked for
 *  again. Pure. */
import type { Json } from '../offline/model';
import { dayOf as plannedDay, type At, type DaySource, type Planned } from './day';
import type { Item, Reminder } from './model';
import { scheduled } from './recurrence';
import { FURTHEST_MS, standIns } from './stand-ins';
import { addDays, instant } from './time';

type Said = Readonly<Record<string, Json>>;

export interface Former {
  /** A reminder that plans nothing any more, as it was; null where nothing is known of it. */
  former: (id: string) => Reminder | null;
  /** A reminder as it was when this was said of it. */
  given: (reminder: Reminder, said: Said) => Reminder;
}

/** As `dayOf` of `day.ts`, with what was answered whatever the plan says by now. */
export function dayOf(source: DaySource, at: At, { former, given }: Former): Item[] {
  const said = answersOf(source);
  return plannedDay(source, at, (planned) => {
    const strays = straysOf(planned, said, { date: at.date, reminders: source.reminders });
    const kept =
      strays.size > 0 ? settled(source, planned, said, strays, at.date, former) : planned;
    return kept.map(({ reminder, occurrence }) => {
      const v = said.get(`${reminder.id}@${occurrence.local}`);
      return { reminder: v ? given(reminder, v) : reminder, occurrence };
    });
  });
}

/** What was said of each occurrence and not taken back: the first by the time of saying. */
function answersOf({ completions, retracts }: DaySource): Map<string, Said> {
  const undone = new Set(retracts.map((row) => (row.doc['v'] as Said | undefined)?.['of']));
  const found = new Map<string, Said>();
  for (const { rec, doc } of completions) {
    const said = (doc['v'] ?? {}) as Said;
    const occ = said['occ'];
    if (typeof occ !== 'string' || undone.has(rec)) continue;
    const before = found.get(occ);
    if (before === undefined || atOf(said) < atOf(before)) found.set(occ, said);
  }
  return found;
}

/** The moment, as text that sorts. */
function atOf({ at }: Said): string {
  return typeof at === 'string' ? at : '';
}

/** What was answered of a date or the day before it, by reminder, and is not planned. A dose as needed is, too, where its order
 *  has times by now: it was given, whatever it was called. */
function straysOf(
  planned: readonly Planned[],
  said: ReadonlyMap<string, Said>,
  { date, reminders }: Pick<DaySource, 'reminders'> & { readonly date: string },
): Map<string, string[]> {
  const [from, to] = [addDays(date, -1), addDays(date, 1)];
  const there = new Set(
    planned.map(({ reminder, occurrence }) => `${reminder.id}@${occurrence.local}`),
  );
  const live = new Set(reminders.map(({ id }) => id));
  const found = new Map<string, string[]>();
  for (const [occ, { prn }] of said) {
    const [id = '', local = ''] = occ.split('@');
    if (local < from || local >= to || there.has(occ)) continue;
    if (prn === true && !live.has(id)) continue;
    found.set(id, [...(found.get(id) ?? []), local]);
  }
  return found;
}

function settled(
  source: DaySource,
  planned: readonly Planned[],
  said: ReadonlyMap<string, Said>,
  strays: ReadonlyMap<string, readonly string[]>,
  date: string,
  former: Former['former'],
): Planned[] {
  const { zone } = source.profile;
  const [from, to] = [-1, 1].map((days) => instant(`${addDays(date, days)}T00:00`, zone)) as [
    number,
    number,
  ];
  const left = new Set<string>();
  const kept: Planned[] = [];
  for (const [id, locals] of strays) {
    const live = source.reminders.find((reminder) => reminder.id === id);
    const reminder = live ?? former(id);
    if (reminder === null) continue;
    if (live !== undefined && movesAnswers(live)) {
      // With the neighbours of its first and last: they bound how near is near.
      const slots = slotsOf(live, from - 2 * FURTHEST_MS, to + 2 * FURTHEST_MS);
      const answered = slots.filter((local) => said.has(`${id}@${local}`));
      for (const local of standIns(slots, [...answered, ...locals])) left.add(`${id}@${local}`);
    }
    for (const local of locals) {
      const at = instant(local, reminder.rule.zone);
      kept.push({ reminder, occurrence: { local, at, day: local.slice(0, 10), paused: false } });
    }
  }
  return [
    ...planned.filter(
      ({ reminder, occurrence }) => !left.has(`${reminder.id}@${occurrence.local}`),
    ),
    ...kept,
  ];
}

/** Of what comes once the answer does not move: who moves that wants to be reminded once more. A medicine that was given
 *  has been given all the same. */
function movesAnswers({ category, rule }: Reminder): boolean {
  return category === 'medication' || rule.kind !== 'once';
}

function slotsOf({ rule }: Reminder, from: number, to: number): string[] {
  try {
    return scheduled(rule, from, to).map(({ local }) => local);
  } catch (error) {
    // A rule that this release cannot read plans nothing.
    if (error instanceof RangeError) return [];
    throw error;
  }
}
