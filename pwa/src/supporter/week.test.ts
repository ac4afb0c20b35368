import { describe, expect, it } from 'vitest';

import { blankForm, reminderOf, type ReminderForm } from '../plan/editor/form';
import type { Reminder } from '../plan/model';
import { hoursOf, mondayOf, weekNumber, weekOf } from './week';

const ZONE = 'Europe/Stockholm';
const MONDAY = '2026-11-30';

function aReminder(change: Partial<ReminderForm> = {}): Reminder {
  const form = { ...blankForm('meal', { zone: ZONE, date: '2026-11-27' }), title: 'Kvällsmål' };
  return reminderOf({ ...form, times: ['20:30'], ...change }, change.title ?? 'supper');
}

function week(...reminders: Reminder[]): ReturnType<typeof weekOf> {
  return weekOf(reminders, { monday: MONDAY, zone: ZONE });
}

it.each([
  ['2026-11-27', 48],
  ['2026-11-30', 49],
  ['2026-12-31', 53],
  ['2027-01-03', 53],
  ['2027-01-04', 1],
  ['2024-12-30', 1],
])('%s is in week %i', (date, number) => {
  expect(weekNumber(date)).toBe(number);
});

it('a week begins on Monday, also for its Sunday', () => {
  expect(mondayOf('2026-12-06')).toBe(MONDAY);
  expect(mondayOf(MONDAY)).toBe(MONDAY);
});

describe('the week', () => {
  it('shows the supper on each day', () => {
    const days = week(aReminder());
    expect(days.map(({ date }) => date.slice(8))).toEqual([
      '30',
      '01',
      '02',
      '03',
      '04',
      '05',
      '06',
    ]);
    expect(days[0]?.bars).toMatchObject([{ top: 1230, bottom: 1260, leftOut: false }]);
  });

  it('shows what an exception leaves out, as left out', () => {
    const days = week(aReminder({ except: ['2026-12-05'] }));
    expect(days.map(({ bars }) => bars[0]?.leftOut)).toEqual([
      false,
      false,
      false,
      false,
      false,
      true,
      false,
    ]);
  });

  it('shows what a pause silences, as left out', () => {
    const days = week(aReminder({ pause: [{ from: '2026-12-01', to: '2026-12-02' }] }));
    expect(days.map(({ bars }) => bars[0]?.leftOut).slice(0, 4)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('a night goes on at the top of the next morning, Monday’s too', () => {
    const days = week(aReminder({ category: 'sleep', times: ['22:00'], minutes: 540 }));
    expect(days[0]?.bars).toMatchObject([
      { top: 0, bottom: 420 },
      { top: 1320, bottom: 1440 },
    ]);
  });

  it('draws nothing for a rule that is not ready', () => {
    expect(week(aReminder({ times: [''] })).flatMap(({ bars }) => bars)).toEqual([]);
  });

  it('tells how long the night is without food, and where an exception makes it longer', () => {
    const breakfast = aReminder({ title: 'Frukost', times: ['07:30'] });
    const dinner = aReminder({ title: 'Middag', times: ['17:00'], minutes: 60 });
    const supper = aReminder({ except: ['2026-12-05'] });
    expect(week(breakfast, dinner, supper).map(({ fast }) => fast)).toEqual([
      630, 630, 630, 630, 630, 810, 630,
    ]);
  });

  it('a snack at night leaves two times without food, of which the longer counts', () => {
    const breakfast = aReminder({ title: 'Frukost', times: ['08:00'] });
    const supper = aReminder({ times: ['21:30'], minutes: 20 });
    const snack = aReminder({ title: 'Nattmacka', times: ['01:06'], minutes: 30 });
    expect(week(breakfast, supper, snack)[0]?.fast).toBe(384);
  });

  it('a night of two zones’ clocks is as long as it is', () => {
    const meals = [
      aReminder({ title: 'Frukost', times: ['08:00'], start: '2026-01-01' }),
      aReminder({ start: '2026-01-01' }),
    ];
    const days = weekOf(meals, { monday: '2026-10-19', zone: ZONE });
    expect(days[4]?.fast).toBe(660);
    expect(days[5]?.fast).toBe(720);
  });

  it('begins at six unless somebody eats at night', () => {
    expect(hoursOf(week(aReminder())).from).toBe(360);
    expect(hoursOf(week(aReminder({ times: ['02:00'] }))).from).toBe(0);
  });
});
