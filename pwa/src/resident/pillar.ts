/** Where the day lies as a pillar: earlier above, an hour 103 px, more where things need room. Pure. */
import type { Item } from '../plan/model';

export const HOUR = 103;
export const GAP = 7;
/** The least a row needs, px: what is done is only read, the rest may be pressed, the present one holds "Klar". */
export interface Least {
  done: number;
  other: number;
  now: number;
  open: number;
}
export const LEAST: Least = { done: 58, other: 64, now: 98, open: 88 };
/** In a narrow column the answer stands below the words. */
export const LEAST_NARROW: Least = { done: 64, other: 68, now: 168, open: 168 };

export interface PillarRow {
  item: Item;
  top: number;
  height: number;
  /** The true length, beside the row; several lie side by side. */
  bar: { top: number; height: number; lane: number };
}
export interface Pillar {
  height: number;
  rows: PillarRow[];
  /** From a minute of the day (0–1440) to px from the top. */
  y: (minute: number) => number;
}

interface Placed {
  item: Item;
  from: number;
  to: number;
  least: number;
}

/** `minuteOf` gives an item's start in minutes of this day (negative: began yesterday). */
export function pillarOf(
  items: readonly Item[],
  minuteOf: (item: Item) => number,
  least = LEAST,
): Pillar {
  const placed = items
    .filter((item) => item.state !== 'paused')
    .map((item): Placed => {
      const start = minuteOf(item);
      const length = Math.round((item.end - item.start) / 60_000);
      return {
        item,
        from: Math.max(0, start),
        to: Math.min(1440, start + length),
        least: leastOf(item, least),
      };
    })
    .filter(({ from }) => from < 1440)
    .sort((a, b) => a.from - b.from);
  const y = scaleOf(placed);
  return { height: y(1440), rows: rowsOf(placed, y), y };
}

function leastOf({ state }: Item, least: Least): number {
  switch (state) {
    case 'now':
      return least.now;
    case 'open':
    case 'missed':
      return least.open;
    case 'done':
      return least.done;
    case 'later':
    case 'gone':
    case 'paused':
      return least.other;
  }
}

/** Straight between the starts of things; a stretch without room for what begins in it is drawn out. */
function scaleOf(placed: readonly Placed[]): (minute: number) => number {
  const knots = [{ minute: 0, y: 0 }];
  const starts = [...new Set([0, ...placed.map(({ from }) => from)])].sort((a, b) => a - b);
  starts.forEach((start, at) => {
    const end = starts[at + 1] ?? 1440;
    const least = placed
      .filter(({ from }) => from === start)
      .reduce((sum, each) => sum + each.least + GAP, 0);
    const before = knots.at(-1)?.y ?? 0;
    knots.push({ minute: end, y: before + Math.max(((end - start) / 60) * HOUR, least) });
  });
  return (minute) => {
    const after = knots.findIndex((knot) => knot.minute >= minute);
    const [low, high] = [knots[Math.max(0, after - 1)], knots[after]];
    if (low === undefined || high === undefined) return knots.at(-1)?.y ?? 0;
    const share =
      high.minute === low.minute ? 1 : (minute - low.minute) / (high.minute - low.minute);
    return low.y + (high.y - low.y) * share;
  };
}

/** A row is as long as its thing lasts, but ends where the next one begins. */
function rowsOf(placed: readonly Placed[], y: (minute: number) => number): PillarRow[] {
  const lanes: number[] = [];
  let below = 0;
  return placed.map((each, at) => {
    const top = Math.max(y(each.from), below);
    const next = placed[at + 1];
    const room = next === undefined ? Infinity : Math.max(y(next.from) - top - GAP, each.least);
    const long = y(each.to) - y(each.from) - GAP;
    const height = Math.max(each.least, Math.min(long, room));
    below = top + height + GAP;
    const free = lanes.findIndex((until) => until <= each.from);
    const lane = free < 0 ? lanes.length : free;
    lanes[lane] = each.to;
    const bar = { top: y(each.from), height: Math.max(9, y(each.to) - y(each.from) - GAP), lane };
    return { item: each.item, top, height, bar };
  });
}
