import { describe, expect, it } from 'vitest';

import vectors from '../../../../spec/vectors/day.json';
import {
  COMPACT,
  FULL,
  angleOf,
  bandOf,
  bandPath,
  beads,
  dotRow,
  lanes,
  nearestQuarter,
  placeSymbols,
  pointAt,
  quarterDots,
  starsIn,
  type Span,
} from './geometry';

const at = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
const span = (id: string, from: string, to: string, weight = 0): Span => {
  const start = at(from);
  const end = at(to);
  return { id, from: start, to: end < start ? end + 1440 : end, weight };
};

describe('the plate', () => {
  it('has noon on top, 18 at the right, midnight at the bottom and 06 at the left', () => {
    expect(pointAt(angleOf(at('12:00')), 100)).toEqual({ x: 0, y: -100 });
    expect(pointAt(angleOf(at('18:00')), 100)).toEqual({ x: 100, y: 0 });
    expect(pointAt(angleOf(at('00:00')), 100)).toEqual({ x: 0, y: 100 });
    expect(pointAt(angleOf(at('06:00')), 100)).toEqual({ x: -100, y: 0 });
  });

  it('moves the hand a quarter of a degree each minute', () => {
    expect(angleOf(at('12:15')) - angleOf(at('12:14'))).toBeCloseTo(0.25);
  });
});

describe('arcs', () => {
  it('are true to length, with air at both ends', () => {
    const band = bandOf(span('lunch', '12:00', '12:45'), 'whole', FULL, false);
    expect(band).toEqual({ from: 0.35, to: 10.9, inner: 262, outer: 332 });
  });

  it('are thicker on both sides when they are now', () => {
    const band = bandOf(span('lunch', '12:00', '12:45'), 'whole', FULL, true);
    expect([band.inner, band.outer]).toEqual([250, 344]);
  });

  it('go the long way round when they are longer than half a day', () => {
    const short = bandPath({ from: 0, to: 90, inner: 262, outer: 332 }, 14);
    const long = bandPath({ from: 0, to: 200, inner: 262, outer: 332 }, 14);
    expect(short).toContain('A332 332 0 0 1');
    expect(long).toContain('A332 332 0 1 1');
  });

  it('draw without a flaw when they are only a minute long', () => {
    const path = bandPath(bandOf(span('x', '12:00', '12:05'), 'whole', FULL, false), 10);
    expect(path).not.toContain('NaN');
  });
});

describe('things at the same time', () => {
  it('share the ring, the earlier outside', () => {
    const shared = lanes([span('activity', '16:00', '19:00'), span('dinner', '17:00', '17:45')]);
    expect(Object.fromEntries(shared)).toEqual({ activity: 'outer', dinner: 'inner' });
  });

  it('take the whole ring where they only touch', () => {
    const alone = lanes([span('lunch', '12:00', '13:00'), span('rest', '13:00', '14:00')]);
    expect([...alone.values()]).toEqual(['whole', 'whole']);
  });

  it('show two of three by weight', () => {
    const shared = lanes([
      span('activity', '16:00', '18:00', 1),
      span('meal', '16:30', '17:30', 5),
      span('hygiene', '16:45', '17:15', 2),
    ]);
    expect([...shared.keys()]).toEqual(['meal', 'hygiene']);
    expect(shared.get('meal')).toBe('outer');
  });

  it('keep a third one that meets each of the others alone', () => {
    const shared = lanes([
      span('a', '10:00', '11:00', 5),
      span('b', '10:45', '12:15', 1),
      span('c', '12:00', '13:00', 5),
    ]);
    expect(Object.fromEntries(shared)).toEqual({ a: 'outer', b: 'inner', c: 'outer' });
  });

  it('meet across midnight', () => {
    const shared = lanes([span('sleep', '22:00', '07:00'), span('drops', '06:00', '06:30')]);
    expect([...shared.values()].sort()).toEqual(['inner', 'outer']);
  });
});

describe('moments', () => {
  it('at one time share a bead that counts them', () => {
    const made = beads(
      [
        { id: 'a', at: at('20:00') },
        { id: 'b', at: at('20:00') },
        { id: 'c', at: at('08:00') },
      ],
      FULL,
    );
    expect(made.map((bead) => bead.ids)).toEqual([['c'], ['a', 'b']]);
  });

  it('an hour apart are two beads', () => {
    const made = beads(
      [
        { id: 'a', at: at('20:00') },
        { id: 'b', at: at('21:00') },
      ],
      FULL,
    );
    expect(made).toHaveLength(2);
  });
});

describe('symbols', () => {
  const distance = (a: number, b: number, radius: number): number =>
    2 * radius * Math.sin((Math.abs(a - b) * Math.PI) / 360);

  it('stay over their arcs when nothing is in the way', () => {
    const placed = placeSymbols(
      [
        { id: 'a', angle: 60 },
        { id: 'b', angle: 100 },
      ],
      0,
      FULL,
    );
    expect(placed.map((each) => [each.angle, each.leaderTo])).toEqual([
      [60, null],
      [100, null],
    ]);
  });

  it('clear each other and the sun, in order, and say where they belong', () => {
    const placed = placeSymbols(
      [
        { id: 'lunch', angle: 5 },
        { id: 'rest', angle: 9 },
        { id: 'snack', angle: 12 },
      ],
      -3,
      FULL,
    );
    expect(placed.map((each) => each.id)).toEqual(['lunch', 'rest', 'snack']);
    expect(distance(placed[0]?.angle ?? 0, -3, 379)).toBeGreaterThanOrEqual(94 - 0.1);
    for (const [one, two] of [
      [placed[0], placed[1]],
      [placed[1], placed[2]],
    ]) {
      expect(distance(one?.angle ?? 0, two?.angle ?? 0, 379)).toBeGreaterThanOrEqual(91 - 0.1);
    }
    expect(placed[0]?.leaderTo).toBeCloseTo(5);
  });

  it('move both ways, so that no one has to go far', () => {
    const placed = placeSymbols(
      [
        { id: 'a', angle: 90 },
        { id: 'b', angle: 92 },
      ],
      0,
      FULL,
    );
    expect(placed[0]?.angle).toBeLessThan(90);
    expect(placed[1]?.angle).toBeGreaterThan(92);
  });

  it('stay clear of a sun behind them', () => {
    const [open] = placeSymbols([{ id: 'open', angle: -8 }], 0, COMPACT);
    expect(distance(open?.angle ?? 0, 360, 376)).toBeGreaterThanOrEqual(101 - 0.1);
    expect(open?.angle).toBeGreaterThan(180);
  });

  it('grow smaller when there are too many for the rim', () => {
    const many = Array.from({ length: 30 }, (_, i) => ({ id: String(i), angle: i * 10 }));
    const placed = placeSymbols(many, 5, FULL);
    expect(placed[0]?.scale).toBeLessThan(1);
    const angles = placed.map((each) => each.angle);
    expect(angles).toEqual([...angles].sort((a, b) => a - b));
  });
});

describe('quarters', () => {
  const day = (): boolean => false;

  it('round to the nearest: 12:07 is still 12:00, 12:08 is 12:15', () => {
    expect(nearestQuarter(at('12:07'))).toBe(at('12:00'));
    expect(nearestQuarter(at('12:08'))).toBe(at('12:15'));
  });

  it.each(vectors.quarters)('from $now to $next there are $dots dots', ({ now, next, dots }) => {
    const minute = (local: string): number => Date.parse(`${local}Z`) / 60_000;
    expect(quarterDots(minute(now), minute(next), day)).toHaveLength(dots);
  });

  it('stand at 12:30, 12:45 and 13:00 from 12:14 to 13:00', () => {
    expect(quarterDots(at('12:14'), at('13:00'), day).map((dot) => dot.at)).toEqual([
      at('12:30'),
      at('12:45'),
      at('13:00'),
    ]);
  });

  it('are words, not dots, beyond two hours', () => {
    expect(quarterDots(at('12:00'), at('14:00'), day)).toHaveLength(8);
    expect(quarterDots(at('12:00'), at('14:15'), day)).toHaveLength(0);
  });

  it('reach over midnight, blue at night', () => {
    const night = (minute: number): boolean => minute >= at('23:00') || minute < at('06:00');
    const dots = quarterDots(at('22:30'), 1440, night);
    expect(dots.map((dot) => dot.night)).toEqual([false, true, true, true, true, true]);
  });

  it('show what is spent of the hour as hollow', () => {
    expect(dotRow(3)).toEqual([false, true, true, true]);
    expect(dotRow(8)).toHaveLength(8);
    expect(dotRow(5)).toEqual([false, false, false, true, true, true, true, true]);
  });
});

it('eight stars lie inside the sleep', () => {
  const band = bandOf(span('sleep', '22:00', '07:00'), 'whole', FULL, false);
  const stars = starsIn(band);
  expect(stars).toHaveLength(8);
  for (const star of stars) {
    const radius = Math.hypot(star.x, star.y);
    expect(radius).toBeGreaterThan(band.inner);
    expect(radius).toBeLessThan(band.outer);
  }
});
