import { describe, expect, it } from 'vitest';

import { laterBy, lengthBetween, nextTime, nightFasts } from './clock';
import {
  blankForm,
  changedGroups,
  formOf,
  groupsOf,
  isChanged,
  reminderOf,
  withCategory,
  type ReminderForm,
} from './form';
import { problemsOf } from './problems';
import { ruleOf } from './rule';
import type { Rule } from '../model';

const ZONE = 'Europe/Stockholm';
const TODAY = '2026-11-27';

function aForm(change: Partial<ReminderForm> = {}): ReminderForm {
  return { ...blankForm('meal', { zone: ZONE, date: TODAY }), title: 'Kvällsmål', ...change };
}

function codes(form: ReminderForm): string[] {
  return problemsOf(form).map((problem) => `${problem.field}: ${problem.code}`);
}

describe('a rule survives the editor', () => {
  const rules: Rule[] = [
    { zone: ZONE, kind: 'once', at: '2026-12-24T15:00' },
    { zone: ZONE, kind: 'weekly', days: ['mon', 'thu'], times: ['08:00', '20:00'], start: TODAY },
    {
      zone: ZONE,
      kind: 'weekly',
      days: ['fri'],
      times: ['12:00'],
      every: 2,
      start: TODAY,
      end: '2026-12-31',
      except: ['2026-12-04'],
      except_at: ['2026-12-18T12:00'],
      pause: [{ from: '2026-12-20', to: '2026-12-27' }, { from: '2027-07-01' }],
    },
    { zone: ZONE, kind: 'interval', every: 'PT2H30M', from: '07:00', to: '22:00', start: TODAY },
    { zone: ZONE, kind: 'rrule', rrule: 'FREQ=MONTHLY;BYDAY=-1FR', times: ['12:00'], start: TODAY },
    {
      zone: ZONE,
      kind: 'rrule',
      rrule: 'FREQ=MONTHLY;BYMONTHDAY=-1',
      times: ['12:00'],
      start: TODAY,
    },
    {
      zone: ZONE,
      kind: 'rrule',
      rrule: 'FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24',
      times: ['15:00'],
      start: TODAY,
    },
    {
      zone: ZONE,
      kind: 'rrule',
      rrule: 'FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=2',
      times: ['09:00'],
      start: TODAY,
    },
  ];

  it.each(rules)('$kind unchanged comes back as it was', (rule) => {
    const reminder = { ...reminderOf(aForm(), 'r'), rule };
    expect(ruleOf(formOf(reminder, '2030-01-01'))).toEqual(rule);
  });

  it('opening and saving unchanged changes no group', () => {
    const before = aForm({ repeat: 'once', date: '2026-12-24', times: ['15:00'] });
    const again = formOf(reminderOf(before, 'r'), TODAY);
    expect(isChanged(before, again)).toBe(false);
  });

  it('a rule that no plain choice can say is shown as it is', () => {
    const rule: Rule = {
      zone: ZONE,
      kind: 'rrule',
      rrule: 'FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=2',
      times: ['09:00'],
      start: TODAY,
    };
    const form = formOf({ ...reminderOf(aForm(), 'r'), rule }, TODAY);
    expect(form.repeat).toBe('rule');
    expect(form.rrule).toBe(rule.rrule);
  });

  it('says "the last Friday of the month" for its rule', () => {
    const rule: Rule = {
      zone: ZONE,
      kind: 'rrule',
      rrule: 'FREQ=MONTHLY;BYDAY=-1FR',
      times: ['12:00'],
      start: TODAY,
    };
    const form = formOf({ ...reminderOf(aForm(), 'r'), rule }, TODAY);
    expect(form).toMatchObject({ repeat: 'month_weekday', ordinal: -1, weekday: 'fri' });
  });

  it('an unknown category stays what it is', () => {
    const reminder = { ...reminderOf(aForm(), 'r'), category: 'gardening' };
    expect(groupsOf(formOf(reminder, TODAY))['category']).toBe('gardening');
  });
});

describe('what is saved', () => {
  it('sends only the groups that somebody changed', () => {
    const before = groupsOf(aForm());
    const after = groupsOf(aForm({ title: 'Macka' }));
    expect(changedGroups(before, after)).toEqual({ title: 'Macka' });
  });

  it('does not take another order of keys for a change', () => {
    const before = { ring: { before: null, start: true, again: true } };
    const after = { ring: { start: true, again: true, before: null } };
    expect(changedGroups(before, after)).toEqual({});
  });

  it('a time given twice or out of order is saved once and in order', () => {
    expect(ruleOf(aForm({ times: ['20:00', '08:00', '20:00'] }))).toMatchObject({
      times: ['08:00', '20:00'],
    });
  });

  it('days are saved in the order of the week', () => {
    expect(ruleOf(aForm({ days: ['sun', 'mon'] }))).toMatchObject({ days: ['mon', 'sun'] });
  });

  it('a label that belongs to no category is not saved', () => {
    expect(groupsOf(aForm({ category: 'meal', label: 'Trädgård' }))['label']).toBe('');
  });
});

describe('the category leads, and what was changed by hand stays', () => {
  it('a new medicine is a moment that somebody answers and that is critical', () => {
    const form = withCategory(aForm(), 'medication');
    expect(form).toMatchObject({ minutes: 0, checkable: true, criticality: 'critical' });
  });

  it('a length that somebody chose survives a change of category', () => {
    expect(withCategory(aForm({ minutes: 75 }), 'rest').minutes).toBe(75);
  });
});

describe('every problem names its field', () => {
  it('a complete form has none', () => {
    expect(codes(aForm())).toEqual([]);
  });

  it.each([
    ['no name', { title: '  ' }, 'title: title_empty'],
    ['too long a name', { title: 'x'.repeat(81) }, 'title: title_long'],
    ['other without its own word', { category: 'other', label: '' }, 'label: label_empty'],
    ['no day', { days: [] }, 'days: days_empty'],
    ['no time', { times: [] }, 'times: time_empty'],
    ['half a time', { times: ['8'] }, 'times: time_empty'],
    ['24:00', { times: ['24:00'] }, 'times: time_empty'],
    ['the same time twice', { times: ['08:00', '08:00'] }, 'times: time_twice'],
    ['times inside each other', { times: ['08:00', '08:20'] }, 'times: times_overlap'],
    ['a day that does not exist', { repeat: 'once', date: '2026-02-29' }, 'date: date_empty'],
    ['no start', { start: '' }, 'start: start_empty'],
    ['an end before the start', { end: '2026-11-01' }, 'end: end_before_start'],
    [
      'every 10 minutes',
      { repeat: 'interval', interval: { hours: 0, minutes: 10, from: '08:00', to: '20:00' } },
      'interval: interval_range',
    ],
    ['30 February', { repeat: 'yearly', yearDay: '02-30' }, 'year_day: year_day_wrong'],
    ['an hourly rule', { repeat: 'rule', rrule: 'FREQ=HOURLY' }, 'rrule: rrule_unreadable'],
    [
      'a pause that runs backwards',
      { pause: [{ from: '2026-12-10', to: '2026-12-01' }] },
      'pause: pause_backwards',
    ],
    ['longer than a day', { minutes: 1441 }, 'minutes: minutes_range'],
    [
      'rings 0 minutes before',
      { ring: { start: true, again: true, before: 0 } },
      'before: before_range',
    ],
  ] as [string, Partial<ReminderForm>, string][])('%s', (_name, change, expected) => {
    expect(codes(aForm(change))).toContain(expected);
  });

  it('29 February is a day that comes back', () => {
    expect(codes(aForm({ repeat: 'yearly', yearDay: '02-29' }))).toEqual([]);
  });

  it('an end on the first day is allowed', () => {
    expect(codes(aForm({ end: TODAY }))).toEqual([]);
  });

  it('once asks for no start', () => {
    expect(codes(aForm({ repeat: 'once', start: '' }))).toEqual([]);
  });
});

describe('the clock goes round', () => {
  it('a night that passes midnight has its length', () => {
    expect(lengthBetween('22:00', '07:00')).toBe(540);
    expect(laterBy('22:00', 540)).toBe('07:00');
  });

  it('the next time is four hours on and stays within the day', () => {
    expect(nextTime(['08:00'])).toBe('12:00');
    expect(nextTime(['21:30'])).toBe('22:30');
    expect(nextTime([])).toBe('08:00');
  });
});

describe('the night without food', () => {
  const hour = 3_600_000;
  it('lasts from the end of the last meal to the start of the first', () => {
    const friday = [
      { start: 8 * hour, end: 8.5 * hour, atNight: false },
      { start: 20.5 * hour, end: 21 * hour, atNight: false },
    ];
    const saturday = [{ start: 31.5 * hour, end: 32 * hour, atNight: false }];
    expect(nightFasts([friday, saturday])).toEqual([630]);
    const snack = { start: 25 * hour, end: 25.5 * hour, atNight: true };
    expect(nightFasts([friday, [snack, ...saturday]])).toEqual([360]);
    expect(nightFasts([friday, [snack]])).toEqual([null]);
  });

  it('is unknown when a day has no meal', () => {
    expect(nightFasts([[], [{ start: 1, end: 2, atNight: false }]])).toEqual([null]);
  });
});
