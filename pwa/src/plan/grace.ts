/** When an unanswered occurrence counts as missed. The server counts alike: spec/vectors/grace.json. */
import type { Criticality } from './model';

/** Minutes from the start, by category. */
const USUAL: ReadonlyMap<string, number> = new Map([['meal', 60]]);
const OTHERWISE = 30;
/** Nobody is late with a walk before the walk is over: a quarter after its end at the earliest. */
const AFTER_END = 15;

export interface Graced {
  category: string;
  criticality: Criticality;
  minutes: number;
  grace: number | null;
}

/** Minutes from the scheduled start until it counts as missed; `snoozed` is how many minutes after it the latest
 *  "Påminn igen" rings, if there is one. */
export function graceMinutes(reminder: Graced, snoozed: number | null): number {
  const own = reminder.grace ?? usualGrace(reminder);
  // Waiting is the resident's right, but never at the price of what is critical.
  return reminder.criticality === 'critical' || snoozed === null ? own : Math.max(snoozed, 0) + own;
}

function usualGrace({ category, criticality, minutes }: Graced): number {
  const usual = USUAL.get(category) ?? OTHERWISE;
  if (criticality === 'critical') return usual / 2;
  return minutes === 0 ? usual : Math.max(usual, minutes + AFTER_END);
}
