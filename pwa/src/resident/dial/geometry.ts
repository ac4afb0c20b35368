/** Where things lie on the day's plate. Pure: minutes of a day in, angles, radii and paths out.
 *
 *  The drawing is 1000 units wide with its centre in 0,0. Angles are degrees clockwise from the top, where 12 o'clock is;
 *  06 lies left, 18 right, 24 at the bottom, as the sun goes.
 */

export interface Sizes {
  ring: { inner: number; outer: number };
  /** The middle of the rim, where the symbols stand. */
  symbols: number;
  box: number;
  hand: { from: number; to: number };
  sun: number;
  /** Half of what the sun needs for itself on the rim. */
  sunRoom: number;
  dots: { at: number; radius: number };
}

export const PLATE = 436;
export const RIM = { full: 14, compact: 16 } as const;
export const SUN_AT = 379;
export const BEAD = 31;

export const FULL: Sizes = {
  ring: { inner: 262, outer: 332 },
  symbols: 379,
  box: 88,
  hand: { from: 248, to: 349 },
  sun: 29,
  sunRoom: 50,
  dots: { at: 474, radius: 13 },
};
export const COMPACT: Sizes = {
  ring: { inner: 248, outer: 326 },
  symbols: 376,
  box: 90,
  hand: { from: 234, to: 346 },
  sun: 32,
  sunRoom: 56,
  dots: { at: 476, radius: 15 },
};

const DAY = 1440;
/** Air at each end of an arc, degrees. */
const AIR = 0.35;
/** Between two lanes, and between two symbols, units. */
const GAP = { lanes: 4, symbols: 3 };
/** How much thicker, on both sides, the one that is now. */
const NOW_THICKER = 12;
/** A symbol that stands further from its arc than this gets a leader, degrees. */
const LEADER_FROM = 3;

export function angleOf(minute: number): number {
  return (minute / 60 - 12) * 15;
}

export function pointAt(angle: number, radius: number): { x: number; y: number } {
  const a = (angle * Math.PI) / 180;
  return { x: round(radius * Math.sin(a)), y: round(-radius * Math.cos(a)) };
}

/** Whole hundredths: enough for any screen, and stable text in tests. */
function round(value: number): number {
  return Math.round(value * 100) / 100 + 0;
}

// ───────────────────────────────────────────────────────────── arcs

export interface Band {
  from: number;
  to: number;
  inner: number;
  outer: number;
}

/** A piece of the ring with round corners. */
export function bandPath({ from, to, inner, outer }: Band, corner: number): string {
  const start = (from * Math.PI) / 180;
  const end = (to * Math.PI) / 180;
  const c = Math.max(0, Math.min(corner, (outer - inner) / 2, ((end - start) * inner) / 2.2));
  // How far a corner reaches along the arc, and where it leaves the straight edge.
  const outerTurn = Math.asin(c / (outer - c));
  const innerTurn = Math.asin(c / (inner + c));
  const outerEdge = (outer - c) * Math.cos(outerTurn);
  const innerEdge = (inner + c) * Math.cos(innerTurn);
  const at = (angle: number, radius: number): string => {
    const { x, y } = pointAt((angle * 180) / Math.PI, radius);
    return `${x} ${y}`;
  };
  const large = end - start > Math.PI ? 1 : 0;
  const turn = (point: string): string => `A${round(c)} ${round(c)} 0 0 1 ${point}`;
  return [
    `M${at(start + outerTurn, outer)}`,
    `A${outer} ${outer} 0 ${large} 1 ${at(end - outerTurn, outer)}`,
    turn(at(end, outerEdge)),
    `L${at(end, innerEdge)}`,
    turn(at(end - innerTurn, inner)),
    `A${inner} ${inner} 0 ${large} 0 ${at(start + innerTurn, inner)}`,
    turn(at(start, innerEdge)),
    `L${at(start, outerEdge)}`,
    turn(at(start + outerTurn, outer)),
    'Z',
  ].join('');
}

/** One thing on the ring: minutes of the day; `to` may pass 1440 (sleep), and equals `from` for a moment. */
export interface Span {
  id: string;
  from: number;
  to: number;
  /** Kept when too many share one place; larger is kept first. */
  weight: number;
}

export type Lane = 'whole' | 'outer' | 'inner';

/** How each span shares the ring: the earlier takes the outer lane. Where three meet, the two heaviest are drawn;
 *  the others are not in the answer. */
export function lanes(spans: readonly Span[]): Map<string, Lane> {
  const ordered = [...spans].sort((a, b) => a.from - b.from || b.to - a.to);
  const drawn = ordered.filter((span) => {
    const heavier = ordered.filter(
      (other) =>
        other !== span &&
        meet(span, other) &&
        (other.weight > span.weight ||
          (other.weight === span.weight && ordered.indexOf(other) < ordered.indexOf(span))),
    );
    // Two heavier ones leave no lane only where those two meet each other.
    return !heavier.some((one) => heavier.some((two) => two !== one && meetAll(span, one, two)));
  });
  const answer = new Map<string, Lane>();
  for (const span of drawn) {
    const beside = drawn.filter((other) => other !== span && meet(span, other));
    if (beside.length === 0) answer.set(span.id, 'whole');
    else {
      const taken = beside.some((other) => answer.get(other.id) === 'outer');
      answer.set(span.id, taken ? 'inner' : 'outer');
    }
  }
  return answer;
}

/** The day is round: what begins at 22 and ends at 31 also lies on 07. */
function meet(a: Span, b: Span): boolean {
  return [-DAY, 0, DAY].some((turn) => a.from < b.to + turn && b.from + turn < a.to);
}

function meetAll(a: Span, b: Span, c: Span): boolean {
  return [-DAY, 0, DAY].some((turnB) =>
    [-DAY, 0, DAY].some((turnC) => {
      const from = Math.max(a.from, b.from + turnB, c.from + turnC);
      const to = Math.min(a.to, b.to + turnB, c.to + turnC);
      return from < to;
    }),
  );
}

/** The piece of the ring that a span covers. */
export function bandOf(span: Span, lane: Lane, sizes: Sizes, now: boolean): Band {
  const { inner, outer } = sizes.ring;
  const middle = (inner + outer) / 2;
  const thicker = now ? (lane === 'whole' ? NOW_THICKER : 2) : 0;
  const length = Math.min(span.to - span.from, DAY - 6);
  return {
    from: angleOf(span.from) + AIR,
    to: angleOf(span.from + length) - AIR,
    inner: (lane === 'outer' ? middle + GAP.lanes / 2 : inner) - thicker,
    outer: (lane === 'inner' ? middle - GAP.lanes / 2 : outer) + thicker,
  };
}

export function cornerOf(span: Span): number {
  return span.to - span.from < 36 ? 10 : 14;
}

/** The ring from one minute to another, without air: the tint of the time that is left. */
export function tintPath(from: number, to: number, sizes: Sizes): string {
  const length = Math.min(to - from, DAY - 0.5);
  return bandPath({ from: angleOf(from), to: angleOf(from + length), ...sizes.ring }, 0);
}

// ───────────────────────────────────────────────────────────── beads

export interface Point {
  id: string;
  at: number;
}
export interface Bead {
  ids: string[];
  angle: number;
}

/** Moments lie as beads on the ring. Those that would cover each other share one bead that says how many. */
export function beads(points: readonly Point[], sizes: Sizes): Bead[] {
  const middle = (sizes.ring.inner + sizes.ring.outer) / 2;
  const close = apart(BEAD, middle);
  const made: Bead[] = [];
  for (const point of [...points].sort((a, b) => a.at - b.at)) {
    const angle = angleOf(point.at);
    const last = made.at(-1);
    if (last !== undefined && angle - last.angle < close) last.ids.push(point.id);
    else made.push({ ids: [point.id], angle });
  }
  return made;
}

/** The angle of a mark on a band: its middle, or beside the bead that would lie over it. */
export function besideBeads(
  { from, to, inner, outer }: Band,
  { reach, beads }: { reach: number; beads: readonly number[] },
): number {
  const middle = (from + to) / 2;
  const room = apart(BEAD + reach, (inner + outer) / 2);
  const off = beads
    .map((bead) => ((((bead - middle + 180) % 360) + 360) % 360) - 180)
    .find((each) => Math.abs(each) < room);
  if (off === undefined) return middle;
  return middle + off + (off > 0 ? -room : room);
}

/** The angle under which two points of a circle are `distance` apart. */
function apart(distance: number, radius: number): number {
  return (2 * Math.asin(distance / (2 * radius)) * 180) / Math.PI;
}

// ───────────────────────────────────────────────────────────── symbols

export interface Wish {
  id: string;
  /** The middle of its arc, degrees. */
  angle: number;
}
export interface Placed {
  id: string;
  angle: number;
  /** Where its arc is, when the symbol had to go so far that a leader must tell. */
  leaderTo: number | null;
  /** 1, or less when not all fit in full size. */
  scale: number;
}

/** Symbols keep their order and move along the rim, as little as possible in all, until they clear each other and the sun. */
export function placeSymbols(wishes: readonly Wish[], sun: number, sizes: Sizes): Placed[] {
  if (wishes.length === 0) return [];
  const turned = wishes
    .map((wish) => ({ ...wish, from: (((wish.angle - sun) % 360) + 360) % 360 }))
    .sort((a, b) => a.from - b.from);
  const room = apart(sizes.sunRoom + sizes.box / 2, sizes.symbols);
  const free = 360 - 2 * room;
  const wanted = apart(sizes.box + GAP.symbols, sizes.symbols);
  const step = Math.min(wanted, turned.length > 1 ? free / (turned.length - 1) : wanted);
  // With the i-th shifted back by i steps, "clear each other" becomes "never decrease".
  const settled = neverDecreasing(turned.map((wish, i) => wish.from - i * step));
  const last = 360 - room - (turned.length - 1) * step;
  return turned.map((wish, i) => {
    const from = Math.min(Math.max(settled[i] ?? 0, room), last) + i * step;
    const moved = Math.abs(from - wish.from) > LEADER_FROM;
    return {
      id: wish.id,
      angle: from + sun,
      leaderTo: moved ? wish.from + sun : null,
      scale: step / wanted,
    };
  });
}

/** The nearest sequence, by least squares, in which nothing decreases (pool adjacent violators). */
function neverDecreasing(values: readonly number[]): number[] {
  const pools: { sum: number; count: number }[] = [];
  for (const value of values) {
    let pool = { sum: value, count: 1 };
    let before = pools.at(-1);
    while (before !== undefined && before.sum / before.count > pool.sum / pool.count) {
      pool = { sum: before.sum + pool.sum, count: before.count + pool.count };
      pools.pop();
      before = pools.at(-1);
    }
    pools.push(pool);
  }
  return pools.flatMap(({ sum, count }) => new Array<number>(count).fill(sum / count));
}

// ───────────────────────────────────────────────────────────── quarter dots

const QUARTER = 15;
/** More than two hours is said in words. */
export const MOST_DOTS = 8;

export interface Dot {
  /** Minute of the day. */
  at: number;
  night: boolean;
}

/** The quarter nearest to a minute: 12:07 is still 12:00, 12:08 is 12:15. */
export function nearestQuarter(minute: number): number {
  return Math.floor((minute + 7) / QUARTER) * QUARTER;
}

/** Whole quarters from now until `next`, to the nearest: none in the last seven minutes. Both are minutes of the day. */
export function quartersLeft(now: number, next: number): number {
  return Math.max(0, Math.floor((next - now + 7) / QUARTER));
}

/** One dot per quarter up to and including the start of the next thing; none when it is far. */
export function quarterDots(
  now: number,
  next: number,
  isNight: (minute: number) => boolean,
): Dot[] {
  const count = quartersLeft(now, next);
  if (count > MOST_DOTS) return [];
  return Array.from({ length: count }, (_, i) => {
    const at = next - (count - 1 - i) * QUARTER;
    return { at, night: isNight(((at % DAY) + DAY) % DAY) };
  });
}

/** The same as a row: whole hours of four, what is spent hollow first. */
export function dotRow(quarters: number): boolean[] {
  const whole = Math.max(1, Math.ceil(quarters / 4)) * 4;
  return Array.from({ length: whole }, (_, i) => i >= whole - quarters);
}

/** Whether the moon walks round the rim in place of the sun. */
export function isMoonlit(minute: number): boolean {
  return minute >= 21 * 60 || minute < 6 * 60;
}

/** A moon of this radius round 0,0, its bite up to the right. */
export function moonPath(radius: number): string {
  const [bite, shift] = [radius * 0.8, radius * 0.52];
  // Where the two circles meet, seen along the line between their middles.
  const between = shift * Math.SQRT2;
  const along = (radius ** 2 - bite ** 2 + between ** 2) / (2 * between);
  const half = Math.sqrt(radius ** 2 - along ** 2);
  const point = (side: 1 | -1): string =>
    `${round((along - side * half) * Math.SQRT1_2)} ${round(-(along + side * half) * Math.SQRT1_2)}`;
  return `M${point(1)}A${radius} ${radius} 0 1 0 ${point(-1)}A${round(bite)} ${round(bite)} 0 0 1 ${point(1)}Z`;
}

// ───────────────────────────────────────────────────────────── sleep

export interface Star {
  x: number;
  y: number;
  size: number;
}

const STARS = [
  [0.07, 0.72, 7],
  [0.18, 0.8, 9],
  [0.35, 0.5, 7],
  [0.52, 0.3, 8],
  [0.64, 0.62, 6],
  [0.76, 0.3, 7],
  [0.86, 0.75, 9],
  [0.95, 0.35, 6],
] as const;

/** Eight still stars, always in the same places of the arc. */
export function starsIn(band: Band): Star[] {
  return STARS.map(([along, across, size]) => ({
    ...pointAt(
      band.from + (band.to - band.from) * along,
      band.inner + (band.outer - band.inner) * across,
    ),
    size,
  }));
}

/** A star with four thin rays, round 0,0. */
export function starPath(size: number): string {
  const waist = size * 0.16;
  const ray = (x: number, y: number): string => `${round(x)} ${round(y)}`;
  const corners = [
    [0, -size],
    [waist, -waist],
    [size, 0],
    [waist, waist],
    [0, size],
    [-waist, waist],
    [-size, 0],
    [-waist, -waist],
  ] as const;
  return `M${corners.map(([x, y]) => ray(x, y)).join('L')}Z`;
}
