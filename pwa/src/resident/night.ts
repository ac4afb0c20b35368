/** When it is the resident's night. */
import { minuteOf } from '../plan/time';

/** Whether a minute of the day lies in a night that may run over midnight. `from` = `to` is no night at all. */
export function isNightAt(minute: number, night: { from: string; to: string }): boolean {
  const from = minuteOf(night.from);
  const to = minuteOf(night.to);
  if (from === null || to === null) return false;
  return from <= to ? from <= minute && minute < to : from <= minute || minute < to;
}
