import { describe, expect, it } from 'vitest';

import { GAP, HOUR, pillarOf } from './pillar';
import { anItem, at } from './testing';

const minuteOf = (item: { start: number }): number => (item.start - at('00:00')) / 60_000;
const item = (from: string, until: string, state: 'later' | 'now' | 'done' = 'later') =>
  anItem({ occ: from, from, until, state });

describe('the pillar', () => {
  it('is a whole day long, an hour 103 px', () => {
    const pillar = pillarOf([], minuteOf);
    expect(pillar.height).toBe(24 * HOUR);
    expect(pillar.y(720)).toBe(12 * HOUR);
  });

  it('gives a row the length of what it stands for', () => {
    const [row] = pillarOf([item('13:00', '14:00')], minuteOf).rows;
    expect(row?.top).toBe(13 * HOUR);
    expect(row?.height).toBe(HOUR - GAP);
  });

  it('lets a short row grow into the free time after it, in place', () => {
    const pillar = pillarOf([item('10:00', '10:05'), item('12:00', '12:45')], minuteOf);
    expect(pillar.rows[0]?.height).toBe(64);
    expect(pillar.y(720)).toBe(12 * HOUR);
  });

  it('stretches time where there is no room, so that no row covers another', () => {
    const pillar = pillarOf(
      [item('10:00', '10:10'), item('10:10', '10:20'), item('10:20', '10:30')],
      minuteOf,
    );
    const [first, second, third] = pillar.rows;
    expect(second?.top).toBeGreaterThanOrEqual((first?.top ?? 0) + 64 + GAP);
    expect(third?.top).toBeGreaterThanOrEqual((second?.top ?? 0) + 64 + GAP);
    expect(second?.top).toBeCloseTo(pillar.y(610));
  });

  it('sets what begins at one time below each other', () => {
    const pillar = pillarOf([item('08:00', '08:00'), item('08:00', '08:30')], minuteOf);
    const [first, second] = pillar.rows;
    expect(second?.top).toBe((first?.top ?? 0) + (first?.height ?? 0) + GAP);
  });

  it('ends a long row where another begins, and tells both lengths by bars beside each other', () => {
    const pillar = pillarOf([item('16:00', '19:00'), item('17:00', '17:45')], minuteOf);
    const [long, short] = pillar.rows;
    expect((long?.top ?? 0) + (long?.height ?? 0)).toBe(17 * HOUR - GAP);
    expect(long?.bar.height).toBe(3 * HOUR - GAP);
    expect([long?.bar.lane, short?.bar.lane]).toEqual([0, 1]);
  });

  it('gives the present one room for its answer', () => {
    const [row] = pillarOf([item('12:00', '12:15', 'now')], minuteOf).rows;
    expect(row?.height).toBe(98);
  });

  it('shows of last night only what lies in this day', () => {
    const sleep = anItem({ from: '22:00', start: at('22:00') - 86_400_000, end: at('07:00') });
    const [row] = pillarOf([sleep], minuteOf).rows;
    expect([row?.top, row?.height]).toEqual([0, 7 * HOUR - GAP]);
  });
});
