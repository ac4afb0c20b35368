/** Sets of numbers as inclusive pairs. Pure. */
import type { Ranges } from './protocol';

/** Whether `n` is in it. */
export function includes(ranges: Ranges, n: number): boolean {
  return ranges.some(([from, to]) => from <= n && n <= to);
}

/** `ranges` without `others`. */
export function without(ranges: Ranges, others: Ranges): Ranges {
  let left = [...ranges];
  for (const [a, b] of others) {
    left = left.flatMap(([from, to]) => {
      if (b < from || a > to) return [[from, to] as const];
      const parts = [[from, a - 1] as const, [b + 1, to] as const];
      return parts.filter(([first, last]) => first <= last);
    });
  }
  return left;
}

/** How many numbers are in it. */
export function size(ranges: Ranges): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}
