/** What has to be said with an outcome, and when it may have happened. Pure: the moment is an argument. */
import type { Outcome } from '../plan/model';
import { addDays, instant, isDate, minuteOf, wallTime } from '../plan/time';

/** What has happened longer ago than this is nobody's fresh memory any more: it belongs in a note. */
export const DAYS_BACK = 7;
/** Written this long after it happened, it is told when. */
export const AFTERWARDS_MS = 30 * 60_000;

/** Whoever reads it later wants to know why it was not simply done. */
export function needsWhy(outcome: Outcome | null): boolean {
  return outcome !== null && outcome !== 'done';
}

export type TimeProblem = 'date_empty' | 'time_empty' | 'time_ahead' | 'time_far';

/** The instant (ms) at which the clock in `zone` showed `day` and `time`, or why nothing can have happened then. */
export function happenedAt(
  { day, time }: { day: string; time: string },
  { zone, now }: { zone: string; now: number },
): number | TimeProblem {
  if (!isDate(day)) return 'date_empty';
  if (minuteOf(time) === null) return 'time_empty';
  const at = instant(`${day}T${time}`, zone);
  // The minute that is now has begun, and so has every second of it.
  if (at > now) return 'time_ahead';
  return day < addDays(wallTime(now, zone).slice(0, 10), -DAYS_BACK) ? 'time_far' : at;
}

/** Where the question "when?" begins: what is logged on its day happened now, as far as anybody knows; what is logged
 *  days later, when it was planned. */
export function firstGuess(
  item: { start: number; occ: string },
  { zone, now }: { zone: string; now: number },
): { day: string; time: string } {
  const planned = item.occ.slice(-16, -6);
  const wall = wallTime(now, zone);
  const isFresh = wall.slice(0, 10) === planned || now - item.start < 12 * 3_600_000;
  const shown = isFresh ? wall : wallTime(item.start, zone);
  return { day: shown.slice(0, 10), time: shown.slice(11, 16) };
}
