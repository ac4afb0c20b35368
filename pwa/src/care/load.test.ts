import { describe, expect, it } from 'vitest';

import { barHeight, barsOf, type Load, type LoadDay } from './load';

function aLoad(alerts: readonly number[], atNight = 0): Load {
  const days: LoadDay[] = alerts.map((each, at) => ({
    day: `2026-11-${String(at + 1).padStart(2, '0')}`,
    rings: 1,
    alerts: each,
    many: each > 5,
    at_night: atNight,
  }));
  const none = { median: 0, worst: 0 };
  return { days, rings: none, alerts: none, most: 5 };
}

describe('how much calls', () => {
  it('is a bar for each day', () => {
    expect(barsOf(aLoad([0, 7], 1), 'day')).toEqual([
      { from: '2026-11-01', rings: 1, alerts: 0, atNight: 1, many: false },
      { from: '2026-11-02', rings: 1, alerts: 7, atNight: 1, many: true },
    ]);
  });

  it('is a bar for each seven days, marked where one of them had many', () => {
    const bars = barsOf(aLoad([1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 6, 0, 0, 0], 1), 'week');
    expect(bars).toEqual([
      { from: '2026-11-01', rings: 7, alerts: 7, atNight: 7, many: false },
      { from: '2026-11-08', rings: 7, alerts: 6, atNight: 7, many: true },
    ]);
  });

  it('looks quiet when it is', () => {
    const bars = barsOf(aLoad([1, 0]), 'day');
    expect(barHeight(1, bars, 5)).toBe(0.2);
    expect(barHeight(7, barsOf(aLoad([7]), 'day'), 5)).toBe(1);
  });

  it('knows nothing of nights where the server says nothing of them', () => {
    const load = aLoad([2]);
    delete load.days[0]?.at_night;
    expect(barsOf(load, 'day')[0]?.atNight).toBe(0);
  });
});
