/** What was answered under a time that the plan no longer has stands for one that it has. Pure; the server decides alike:
 *  spec/vectors/stand_ins.json. docs/engine.md says why. */
import { MINUTE_MS } from './time';

/** As far as a dose once a day may be off and still be that dose; of what comes more often, half the way to the next. */
export const FURTHEST_MS = 120 * MINUTE_MS;

/** Which planned wall times of one reminder need no answer. */
export function standIns(planned: readonly string[], answered: readonly string[]): Set<string> {
  const slots = wallsOf(planned);
  const given = wallsOf(answered);
  const strays = [...given].filter(([local]) => !slots.has(local)).sort(byName);
  const free = [...slots].filter(([local]) => !given.has(local)).sort(byName);
  const leftOut = new Set<string>();
  for (const [, at] of strays) {
    let nearest: string | null = null;
    let least = Infinity;
    for (const [local, slot] of free) {
      const off = Math.abs(slot - at);
      if (leftOut.has(local) || off >= least || off > reach(slot, slots.values())) continue;
      [nearest, least] = [local, off];
    }
    if (nearest !== null) leftOut.add(nearest);
  }
  return leftOut;
}

function reach(slot: number, slots: Iterable<number>): number {
  let least = FURTHEST_MS;
  for (const other of slots)
    if (other !== slot) least = Math.min(least, Math.abs(other - slot) / 2);
  return least;
}

/** Wall times by name, as if every place had the same clock. */
function wallsOf(locals: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const local of locals) {
    const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(local) ? Date.parse(`${local}Z`) : NaN;
    if (!Number.isNaN(at)) found.set(local, at);
  }
  return found;
}

function byName([a]: readonly [string, number], [b]: readonly [string, number]): number {
  return a < b ? -1 : 1;
}
