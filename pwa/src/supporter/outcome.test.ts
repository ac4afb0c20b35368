import { describe, expect, it } from 'vitest';

import { firstGuess, happenedAt, needsWhy } from './outcome';

const ZONE = 'Europe/Stockholm';
const NOW = Date.parse('2026-11-27T11:14:00Z'); // 12:14 on a Friday

describe('when something happened', () => {
  it.each([
    ['what happened this minute', { day: '2026-11-27', time: '12:14' }, NOW],
    ['what happened last night', { day: '2026-11-26', time: '23:30' }, NOW - 764 * 60_000],
    ['nothing that is still to come', { day: '2026-11-27', time: '12:15' }, 'time_ahead'],
    ['a week back', { day: '2026-11-20', time: '08:00' }, Date.parse('2026-11-20T07:00:00Z')],
    ['nothing longer ago than a week', { day: '2026-11-19', time: '23:59' }, 'time_far'],
    ['no day that is none', { day: '2026-02-30', time: '08:00' }, 'date_empty'],
    ['no time that is none', { day: '2026-11-27', time: '25:00' }, 'time_empty'],
  ])('is %s', (_, said, expected) => {
    expect(happenedAt(said, { zone: ZONE, now: NOW })).toBe(expected);
  });

  it('is now, as far as the form knows, on the day itself', () => {
    const lunch = { occ: 'r@2026-11-27T12:00', start: Date.parse('2026-11-27T11:00:00Z') };
    expect(firstGuess(lunch, { zone: ZONE, now: NOW })).toEqual({
      day: '2026-11-27',
      time: '12:14',
    });
  });

  it('is after midnight for what began the evening before', () => {
    const sleep = { occ: 'r@2026-11-27T22:00', start: Date.parse('2026-11-27T21:00:00Z') };
    expect(firstGuess(sleep, { zone: ZONE, now: Date.parse('2026-11-28T00:10:00Z') })).toEqual({
      day: '2026-11-28',
      time: '01:10',
    });
  });

  it('is when it was planned, days later', () => {
    const then = { occ: 'r@2026-11-25T08:00', start: Date.parse('2026-11-25T07:00:00Z') };
    expect(firstGuess(then, { zone: ZONE, now: NOW })).toEqual({
      day: '2026-11-25',
      time: '08:00',
    });
  });
});

it('takes no word for it that something was not done, without the reason', () => {
  expect(needsWhy('done')).toBe(false);
  expect(needsWhy('asleep')).toBe(true);
  expect(needsWhy('other')).toBe(true);
});
