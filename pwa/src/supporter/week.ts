/** A week of a plan as seven columns: what comes when, what is left out, and how long the nights without food are.
 *  Pure: reminders and the week are arguments. Columns show the clock on the wall, so every day is 24 hours high. */
import { familyOf } from '../plan/day';
import { nightFasts, type Meal } from '../plan/editor/clock';
import type { Family, Reminder, Rule } from '../plan/model';
import { scheduled, type Scheduled } from '../plan/recurrence';
import { addDays, dayNumber, instant, minuteOf, weekdayIndex } from '../plan/time';

export interface Bar {
  /** Unique within its column. */
  key: string;
  reminder: string;
  title: string;
  /** Wall time of the start, `20:30`. */
  from: string;
  family: Family;
  /** Minutes of the column's day; `to` equals `from` for a moment. */
  top: number;
  bottom: number;
  /** Taken out by an exception or silenced by a pause. */
  leftOut: boolean;
}

export interface WeekDay {
  date: string;
  bars: Bar[];
  /** Minutes without food from this evening to the next morning; null when nobody can say. */
  fast: number | null;
}

const MIDNIGHT = 1440;

/** The Monday of the date's week. */
export function mondayOf(date: string): string {
  return addDays(date, -weekdayIndex(dayNumber(date) ?? 0));
}

/** ISO week: week 1 holds the year's first Thursday. */
export function weekNumber(date: string): number {
  const thursday = addDays(mondayOf(date), 3);
  const first = `${thursday.slice(0, 4)}-01-01`;
  return Math.floor(((dayNumber(thursday) ?? 0) - (dayNumber(first) ?? 0)) / 7) + 1;
}

/** Seven days from `monday`. A rule that cannot be read yet draws nothing. */
export function weekOf(
  reminders: readonly Reminder[],
  { monday, zone }: { monday: string; zone: string },
): WeekDay[] {
  // The evening before shows its night, and the Monday after tells how long Sunday's night is.
  const dates = Array.from({ length: 9 }, (_, index) => addDays(monday, index - 1));
  const from = instant(`${dates[0] ?? monday}T00:00`, zone);
  const to = instant(`${addDays(monday, 8)}T00:00`, zone);
  const columns = new Map<string, Bar[]>(dates.map((date) => [date, []]));
  const meals = new Map<string, Meal[]>(dates.map((date) => [date, []]));
  for (const reminder of reminders) {
    const kept = occurrencesOf(reminder.rule, from, to);
    const keptAt = new Set(kept.filter(({ paused }) => !paused).map(({ local }) => local));
    for (const { local, at } of occurrencesOf(withoutExceptions(reminder.rule), from, to)) {
      const leftOut = !keptAt.has(local);
      place(columns, reminder, local, leftOut);
      if (reminder.category === 'meal' && !leftOut) {
        meals.get(local.slice(0, 10))?.push({
          start: at,
          end: at + reminder.minutes * 60_000,
          atNight: local.slice(11) < '05:00',
        });
      }
    }
  }
  const week = dates.slice(1, 8);
  const ordered = dates.slice(1).map((date) => sorted(meals.get(date) ?? []));
  const fasts = nightFasts(ordered);
  return week.map((date, index) => ({
    date,
    bars: (columns.get(date) ?? []).sort((a, b) => a.top - b.top),
    fast: fasts[index] ?? null,
  }));
}

function sorted<T extends { start: number }>(meals: T[]): T[] {
  return meals.sort((a, b) => a.start - b.start);
}

function occurrencesOf(rule: Rule, from: number, to: number): Scheduled[] {
  try {
    return scheduled(rule, from, to);
  } catch (error) {
    // While somebody types, a rule is not always one.
    if (error instanceof RangeError) return [];
    throw error;
  }
}

function withoutExceptions(rule: Rule): Rule {
  const { except: _except, except_at: _exceptAt, ...rest } = rule;
  return rest;
}

/** A bar that passes midnight goes on at the top of the next day. */
function place(
  columns: Map<string, Bar[]>,
  reminder: Reminder,
  local: string,
  leftOut: boolean,
): void {
  const date = local.slice(0, 10);
  const top = minuteOf(local.slice(11)) ?? 0;
  const bottom = top + reminder.minutes;
  const bar = {
    key: `${reminder.id}@${local}`,
    reminder: reminder.id,
    title: reminder.title,
    from: local.slice(11),
    family: familyOf(reminder.category),
    leftOut,
  };
  columns.get(date)?.push({ ...bar, top, bottom: Math.min(bottom, MIDNIGHT) });
  if (bottom > MIDNIGHT) {
    columns
      .get(addDays(date, 1))
      ?.push({ ...bar, key: `${bar.key}+`, top: 0, bottom: bottom - MIDNIGHT });
  }
}

export interface Hours {
  /** Minutes of the day that the columns show. */
  from: number;
  to: number;
  /** Hours that stand at the side. */
  marks: number[];
}

/** From six in the morning, as long as nothing but sleep lies before it. */
export function hoursOf(week: readonly WeekDay[]): Hours {
  const early = week.some(({ bars }) =>
    bars.some((bar) => bar.family !== 'sleep' && bar.top < 6 * 60),
  );
  return early
    ? { from: 0, to: MIDNIGHT, marks: [3, 6, 9, 12, 15, 18, 21] }
    : { from: 6 * 60, to: MIDNIGHT, marks: [9, 12, 15, 18, 21] };
}

/** The goal of care: at most eleven hours without food at night. */
export const LONGEST_FAST = 11 * 60;
