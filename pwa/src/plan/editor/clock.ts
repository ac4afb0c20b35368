/** Small arithmetic of the clock, as typed times need it. */
import { clockOf, minuteOf } from '../time';

/** Minutes after midnight; what is no clock time counts as midnight (the form says so elsewhere). */
export function minutesOf(time: string): number {
  return minuteOf(time) ?? 0;
}

/** The wall time some minutes later, round the clock. */
export function laterBy(time: string, minutes: number): string {
  return clockOf((((minutesOf(time) + minutes) % 1440) + 1440) % 1440);
}

/** Minutes from one wall time to another, forward over midnight; the same time is a moment, not a day. */
export function lengthBetween(from: string, to: string): number {
  return (minutesOf(to) - minutesOf(from) + 1440) % 1440;
}

/** The first free time after the last one, for "add a time": four hours on, before midnight if it can be. */
export function nextTime(times: readonly string[]): string {
  const last = [...times]
    .filter((time) => minuteOf(time) !== null)
    .sort()
    .at(-1);
  if (!last) return '08:00';
  const later = laterBy(last, 240);
  return later > last ? later : laterBy(last, 60);
}

/** When something is eaten, as instants (ms), and whether that is at night, before five: a snack then does not end the
 *  night. */
export interface Meal {
  start: number;
  end: number;
  atNight: boolean;
}

/** The longest time without food, in minutes, between the last meal of an evening and the first of the next morning, per
 *  evening. Takes each day's meals, ordered; null where one of the two is not known. */
export function nightFasts(mealsByDay: readonly (readonly Meal[])[]): (number | null)[] {
  return mealsByDay.slice(0, -1).map((meals, index) => {
    const next = mealsByDay[index + 1] ?? [];
    const morning = next.findIndex(({ atNight }) => !atNight);
    const last = meals.at(-1);
    if (last === undefined || morning < 0) return null;
    const night = [last, ...next.slice(0, morning + 1)];
    const gaps = night.slice(1).map(({ start }, before) => start - (night[before]?.end ?? start));
    return Math.round(Math.max(...gaps) / 60_000);
  });
}
