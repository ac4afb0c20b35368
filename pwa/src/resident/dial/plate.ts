/** What is drawn on the plate for one day at one minute. Pure: the day's items in, shapes out. */
import { isDone } from '../../plan/day';
import type { DayPart, Family, Item, ItemState } from '../../plan/model';
import { minuteOf } from '../../plan/time';
import {
  angleOf,
  bandOf,
  bandPath,
  beads as beadsOf,
  besideBeads,
  cornerOf,
  lanes,
  placeSymbols,
  pointAt,
  starsIn,
  tintPath,
  type Band,
  type Sizes,
  type Span,
  type Star,
} from './geometry';

/** How a thing looks: to come, now, answered, waiting for an answer, or simply over. */
export type Look = 'later' | 'now' | 'done' | 'open' | 'past';

export interface Arc {
  occ: string;
  family: Family;
  look: Look;
  /** Of what was answered: it came about. */
  done: boolean;
  path: string;
  /** Where the check or the small clock lies. */
  middle: { x: number; y: number };
  /** Check and clock grow smaller in a narrow arc or lane. */
  mark: number;
  stars: Star[];
  /** Ends of the sleep's gradient. */
  ends: { from: { x: number; y: number }; to: { x: number; y: number } };
}
export interface BeadMark {
  occs: string[];
  family: Family;
  look: Look;
  /** Of what was answered: all of it came about. */
  done: boolean;
  symbol: string;
  at: { x: number; y: number };
}
export interface SymbolMark {
  occ: string;
  symbol: string;
  at: { x: number; y: number };
  scale: number;
  leader: { from: { x: number; y: number }; to: { x: number; y: number } } | null;
}
export interface Tint {
  part: DayPart;
  path: string;
}
export interface Plate {
  tints: Tint[];
  arcs: Arc[];
  beads: BeadMark[];
  symbols: SymbolMark[];
}

const DAY = 1440;
/** Half a check or a small clock, with its air. */
const MARK = 19;
/** Anything shorter is a bead: an arc of it could not be seen. */
const SHORTEST_ARC = 10;
/** Of three at one time, two are drawn. */
const WEIGHT: Record<Family, number> = { med: 6, meal: 5, sleep: 4, rest: 3, care: 2, act: 1 };
const LOOKS: Record<ItemState, Look | null> = {
  later: 'later',
  now: 'now',
  done: 'done',
  open: 'open',
  // Residents never see "missed": what waits for an answer waits.
  missed: 'open',
  gone: 'past',
  paused: null,
};

interface Drawn extends Span {
  item: Item;
  look: Look;
}

export function symbolOf(item: Item): string {
  return item.reminder.symbol || item.reminder.category;
}

export function plateOf(
  items: readonly Item[],
  { minute, parts, sizes }: { minute: number; parts: Record<DayPart, string>; sizes: Sizes },
): Plate {
  const drawn = visible(items);
  const spans = drawn.filter((each) => each.to > each.from);
  const points = drawn.filter((each) => each.to === each.from);
  const beads = points.map(({ from }) => angleOf(from));
  const shared = lanes(spans);
  const arcs = spans.flatMap((span): (Arc & { angle: number })[] => {
    const lane = shared.get(span.id);
    if (lane === undefined) return [];
    const band = bandOf(span, lane, sizes, span.look === 'now');
    return [{ ...arcOf(span, band, beads), angle: (band.from + band.to) / 2 }];
  });
  return {
    tints: tints(minute, parts, sizes),
    // What is now lies over its neighbours, for it is thicker.
    arcs: arcs.sort((a, b) => Number(a.look === 'now') - Number(b.look === 'now')),
    beads: beadMarks(points, sizes),
    symbols: symbolMarks(arcs, drawn, minute, sizes),
  };
}

/** The day is round: last night's sleep and tonight's lie in one place. The one that is not over is drawn. */
function visible(items: readonly Item[]): Drawn[] {
  const all = items.flatMap((item): Drawn[] => {
    const look = LOOKS[item.state];
    return look === null ? [] : [{ ...spanOf(item), item, look }];
  });
  const over = (look: Look): boolean => look === 'done' || look === 'past' || look === 'open';
  return all.filter(
    (each, at) =>
      !all.some(
        (other, otherAt) =>
          other.item.reminder.id === each.item.reminder.id &&
          other.from === each.from &&
          (over(each.look) ? !over(other.look) : !over(other.look) && otherAt < at),
      ),
  );
}

function spanOf(item: Item): Span {
  const from = minuteOf(item.from) ?? 0;
  const until = minuteOf(item.until) ?? from;
  const short = item.family === 'med' || item.reminder.minutes < SHORTEST_ARC;
  const length = short ? 0 : (until - from + DAY) % DAY || DAY;
  return { id: item.occ, from, to: from + length, weight: WEIGHT[item.family] };
}

function arcOf({ item, look, ...span }: Drawn, band: Band, beads: readonly number[]): Arc {
  const middle = (band.inner + band.outer) / 2;
  const width = ((band.to - band.from) * Math.PI * middle) / 180;
  const mark = Math.min(0.85, width / 36, (band.outer - band.inner) / 40);
  return {
    occ: item.occ,
    family: item.family,
    look,
    done: isDone(item),
    path: bandPath(band, cornerOf(span)),
    middle: pointAt(besideBeads(band, { reach: MARK * mark, beads }), middle),
    mark,
    stars: item.family === 'sleep' ? starsIn(band) : [],
    ends: { from: pointAt(band.from, middle), to: pointAt(band.to, middle) },
  };
}

/** Time left keeps the tint of its part of the day, until the next morning begins; time gone is bare porcelain. */
function tints(minute: number, parts: Record<DayPart, string>, sizes: Sizes): Tint[] {
  const starts = (Object.entries(parts) as [DayPart, string][])
    .map(([part, from]) => ({ part, from: minuteOf(from) ?? 0 }))
    .sort((a, b) => a.from - b.from);
  const morning = minuteOf(parts.morning) ?? 0;
  const end = minute < morning ? minute + DAY : morning + DAY;
  const twoDays = [...starts, ...starts.map(({ part, from }) => ({ part, from: from + DAY }))];
  return twoDays.flatMap(({ part, from }, at): Tint[] => {
    const next = twoDays[at + 1]?.from ?? from + DAY;
    const begins = Math.max(from, minute);
    const ends = Math.min(next, end);
    return ends - begins < 1 ? [] : [{ part, path: tintPath(begins, ends, sizes) }];
  });
}

function beadMarks(points: readonly Drawn[], sizes: Sizes): BeadMark[] {
  const middle = (sizes.ring.inner + sizes.ring.outer) / 2;
  const over = points.filter(({ look }) => look === 'done' || look === 'past');
  const waiting = points.filter((point) => !over.includes(point));
  // What is done lies under what is still to do.
  return [over, waiting].flatMap((group) =>
    beadsOf(
      group.map(({ id, from }) => ({ id, at: from })),
      sizes,
    ).flatMap(({ ids, angle }): BeadMark[] => {
      const [first, ...rest] = ids.flatMap((id) => group.filter((point) => point.id === id));
      if (first === undefined) return [];
      const all = [first, ...rest];
      const loudest = (['now', 'open', 'later', 'done', 'past'] as const).find((look) =>
        all.some((each) => each.look === look),
      );
      return [
        {
          occs: ids,
          family: first.item.family,
          look: loudest ?? first.look,
          done: all.every((each) => each.look !== 'done' || isDone(each.item)),
          symbol: symbolOf(first.item),
          at: pointAt(angle, middle),
        },
      ];
    }),
  );
}

function symbolMarks(
  arcs: readonly (Arc & { angle: number })[],
  drawn: readonly Drawn[],
  minute: number,
  sizes: Sizes,
): SymbolMark[] {
  // What is now gives its place to the sun and lives in the card; a night's sleep is long enough for both.
  const shown = arcs.filter(
    ({ look, family }) =>
      look === 'later' || look === 'open' || (look === 'now' && family === 'sleep'),
  );
  const placed = placeSymbols(
    shown.map(({ occ, angle }) => ({ id: occ, angle })),
    angleOf(minute),
    sizes,
  );
  return placed.flatMap(({ id, angle, leaderTo, scale }): SymbolMark[] => {
    const item = drawn.find((each) => each.id === id)?.item;
    if (item === undefined) return [];
    const reach = (sizes.box * scale) / 2;
    return [
      {
        occ: id,
        symbol: symbolOf(item),
        at: pointAt(angle, sizes.symbols),
        scale,
        leader:
          leaderTo === null
            ? null
            : {
                from: pointAt(leaderTo, sizes.ring.outer + 4),
                to: pointAt(angle, sizes.symbols - reach * 0.8),
              },
      },
    ];
  });
}
