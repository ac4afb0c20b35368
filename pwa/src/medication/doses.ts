/** What is given as needed, and what was given twice. Pure. The numbers are the prescriber's; here they are only
 *  compared, and nothing is ever advised. The server counts alike: spec/vectors/order.json. Moments are in ms.
 */
import { DAY_MS, MINUTE_MS } from '../plan/time';
import { intervalMinutes } from './order';

/** What a prescriber allows of a medicine that is taken as needed. */
export interface Limits {
  minInterval: number;
  max24h: number;
}

export interface Dose {
  at: number;
  occ: string;
}

export interface NextDose {
  /** Is one more dose within what was ordered? */
  may: boolean;
  /** The first moment at which it is. */
  at: number;
  /** How many doses the last 24 hours leave. */
  left: number;
  /** The dose that may be given now reaches the most. */
  isLast: boolean;
}

/** The limits of an order that is given as needed; null for any other. */
export function limitsOf(v: Readonly<Record<string, unknown>>): Limits | null {
  const minutes = intervalMinutes(v['min_interval']);
  if (v['kind'] !== 'as_needed' || minutes === null || typeof v['max_24h'] !== 'number')
    return null;
  return { minInterval: minutes * MINUTE_MS, max24h: v['max_24h'] };
}

/** Whether a dose at `now` keeps the interval and the most of any 24 hours. Exactly at the interval is in time, and a
 *  dose exactly 24 hours old counts no more. */
export function nextDose(limits: Limits, given: readonly number[], now: number): NextDose {
  const times = [...given].sort((a, b) => a - b);
  const last = times.at(-1);
  let at = now;
  if (last !== undefined) at = Math.max(at, last + limits.minInterval);
  const oldest = times.at(-limits.max24h);
  if (times.length >= limits.max24h && oldest !== undefined) at = Math.max(at, oldest + DAY_MS);
  const counted = times.filter((time) => now - time < DAY_MS).length;
  const left = Math.max(limits.max24h - counted, 0);
  return { may: at <= now, at, left, isLast: at <= now && left === 1 };
}

/** The names of doses that came sooner than ordered after another, or were too many. */
export function doubled(limits: Limits, given: readonly Dose[]): string[] {
  const doses = [...given].sort((a, b) => a.at - b.at || (a.occ < b.occ ? -1 : 1));
  return doses
    .filter(({ at }, index) => {
      const before = doses.slice(0, index);
      const latest = before.at(-1);
      const soon = latest !== undefined && at - latest.at < limits.minInterval;
      return soon || before.filter((other) => at - other.at < DAY_MS).length >= limits.max24h;
    })
    .map(({ occ }) => occ);
}

/** The occurrences, of all that were recorded as given, that were so more than once. */
export function givenTwice(given: readonly string[]): Set<string> {
  return new Set(given.filter((occ, index) => given.indexOf(occ) !== index));
}
