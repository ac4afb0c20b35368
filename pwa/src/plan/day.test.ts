import { describe, expect, it } from 'vitest';

import type { Json, Row } from '../offline/model';
import {
  type DaySource,
  dayOf,
  familyOf,
  nowAndNext,
  quarters,
  readAlert,
  readProfile,
  readReminder,
} from './day';
import type { Reminder } from './model';
import { instant } from './time';

const ZONE = 'Europe/Stockholm';
const DATE = '2026-11-27';

const at = (clock: string, date = DATE) => instant(`${date}T${clock}`, ZONE);
const iso = (clock: string, date = DATE) => new Date(at(clock, date)).toISOString();

let made = 0;

function aRow(doc: Record<string, Json>, rec = `rec-${++made}`): Row {
  return { coll: 'any', rec, seq: ++made, doc, pending: false };
}

function aReminder(id: string, groups: Record<string, Json>): Reminder {
  const daily = {
    zone: ZONE,
    kind: 'weekly',
    days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    times: [groups['at'] ?? '08:00'],
    start: '2026-01-01',
  };
  return readReminder(aRow({ title: id, checkable: true, rule: daily, ...groups }, id));
}

function aDay(reminders: Reminder[], rest: Partial<DaySource> = {}): DaySource {
  return {
    reminders,
    completions: [],
    retracts: [],
    snoozes: [],
    rangs: [],
    profile: readProfile(undefined),
    ...rest,
  };
}

const breakfast = aReminder('breakfast', { category: 'meal', minutes: 45 });
const pill = aReminder('pill', { category: 'medication', minutes: 0 });

function stateAt(clock: string, source: DaySource): string | undefined {
  return dayOf(source, { date: DATE, now: at(clock) })[0]?.state;
}

function done(occ: string, clock: string, st = 'done'): Row {
  return aRow({ v: { occ, at: iso(clock), st }, by: 'maj' });
}

describe('a meal', () => {
  it('is later, then now, then open, then missed', () => {
    const day = aDay([breakfast]);
    expect(stateAt('07:59', day)).toBe('later');
    expect(stateAt('08:00', day)).toBe('now');
    expect(stateAt('08:44', day)).toBe('now');
    expect(stateAt('08:45', day)).toBe('open');
    expect(stateAt('09:00', day)).toBe('missed');
  });

  it('is done as soon as somebody answers, whatever the answer', () => {
    const day = aDay([breakfast], {
      completions: [done(`breakfast@${DATE}T08:00`, '08:10', 'refused')],
    });
    const [item] = dayOf(day, { date: DATE, now: at('08:11') });
    expect(item).toMatchObject({
      state: 'done',
      outcome: 'refused',
      by: 'maj',
      doneAt: at('08:10'),
    });
  });

  it('is open again after undo', () => {
    const completion = done(`breakfast@${DATE}T08:00`, '08:10');
    const retracts = [aRow({ v: { of: completion.rec, at: iso('08:11') } })];
    const day = aDay([breakfast], { completions: [completion], retracts });
    expect(stateAt('08:12', day)).toBe('now');
  });

  it('counts the first of two answers', () => {
    const occ = `breakfast@${DATE}T08:00`;
    const completions = [done(occ, '08:20', 'partly'), done(occ, '08:10', 'done')];
    const [item] = dayOf(aDay([breakfast], { completions }), { date: DATE, now: at('08:30') });
    expect(item?.outcome).toBe('done');
  });

  it('shows its times as they stand on the wall', () => {
    const [item] = dayOf(aDay([breakfast]), { date: DATE, now: at('07:00') });
    expect(item).toMatchObject({ from: '08:00', until: '08:45', occ: `breakfast@${DATE}T08:00` });
  });
});

describe('a medicine', () => {
  it('is now for a quarter, then open, and missed after its grace', () => {
    const day = aDay([pill]);
    expect(stateAt('08:14', day)).toBe('now');
    expect(stateAt('08:15', day)).toBe('open');
    expect(stateAt('08:30', day)).toBe('missed');
  });

  it('is not missed while it is snoozed, unless it is critical', () => {
    const snoozes = [
      aRow({ v: { occ: `pill@${DATE}T08:00`, at: iso('08:25'), until: iso('08:35') } }),
    ];
    expect(stateAt('08:40', aDay([pill], { snoozes }))).toBe('open');
    const critical = aReminder('pill', { category: 'medication', criticality: 'critical' });
    expect(stateAt('08:40', aDay([critical], { snoozes }))).toBe('missed');
  });

  it('does not vanish at midnight', () => {
    const late = aReminder('late', { category: 'medication', minutes: 0, at: '23:50' });
    const next = '2026-11-28';
    const open = dayOf(aDay([late]), { date: next, now: at('00:10', next) });
    expect(open.map((item) => item.occ)).toEqual([`late@${DATE}T23:50`, `late@${next}T23:50`]);
    const missed = dayOf(aDay([late]), { date: next, now: at('00:30', next) });
    expect(missed.map((item) => item.occ)).toEqual([`late@${next}T23:50`]);
  });
});

describe('a day', () => {
  it("holds the night's sleep that began the evening before", () => {
    const sleep = aReminder('sleep', {
      category: 'sleep',
      minutes: 480,
      checkable: false,
      at: '22:00',
    });
    const items = dayOf(aDay([sleep]), { date: DATE, now: at('03:00') });
    expect(items.map((item) => [item.occ, item.state, item.until])).toEqual([
      ['sleep@2026-11-26T22:00', 'now', '06:00'],
      [`sleep@${DATE}T22:00`, 'later', '06:00'],
    ]);
  });

  it('lets sleep end at its wall time in the night when the clocks change', () => {
    const sleep = aReminder('sleep', { category: 'sleep', minutes: 480, at: '22:00' });
    const [spring] = dayOf(aDay([sleep]), { date: '2026-03-29', now: 0 });
    expect(spring).toMatchObject({ until: '06:00', end: Date.parse('2026-03-29T04:00Z') });
    const [autumn] = dayOf(aDay([sleep]), { date: '2026-10-25', now: 0 });
    expect(autumn).toMatchObject({ until: '06:00', end: Date.parse('2026-10-25T05:00Z') });
  });

  it('is ordered by start, and at one time by importance', () => {
    const walk = aReminder('walk', { category: 'movement', minutes: 30, at: '07:00' });
    const items = dayOf(aDay([breakfast, pill, walk]), { date: DATE, now: 0 });
    expect(items.map((item) => item.reminder.id)).toEqual(['walk', 'pill', 'breakfast']);
  });

  it('shows what a pause silences as paused, but not what an answer closed', () => {
    const profile = {
      ...readProfile(undefined),
      pause: [{ from: DATE, to: DATE, why: 'Sjukhus' }],
    };
    expect(stateAt('08:10', aDay([breakfast], { profile }))).toBe('paused');
    const completions = [done(`breakfast@${DATE}T08:00`, '08:05')];
    expect(stateAt('08:10', aDay([breakfast], { profile, completions }))).toBe('done');
    const rule = { ...breakfast.rule, pause: [{ from: '2026-11-20' }] };
    expect(stateAt('08:10', aDay([{ ...breakfast, rule }]))).toBe('paused');
  });

  it('is not broken by a rule from a newer release', () => {
    const newer = readReminder(aRow({ title: 'Ny', rule: { kind: 'moon', zone: ZONE } }, 'newer'));
    expect(dayOf(aDay([newer, breakfast]), { date: DATE, now: 0 })).toHaveLength(1);
  });

  it('knows when it rang', () => {
    const rangs = [aRow({ v: { occ: `pill@${DATE}T08:00`, at: iso('08:01'), how: 'sound' } })];
    const [item] = dayOf(aDay([pill], { rangs }), { date: DATE, now: at('08:02') });
    expect(item?.rangAt).toBe(at('08:01'));
  });

  it('of fifty residents with twenty reminders each is made in less than 50 ms', () => {
    const residents = Array.from({ length: 50 }, (_, r) =>
      aDay(
        Array.from({ length: 20 }, (_, n) =>
          aReminder(`r${r}-${n}`, { at: `${String(6 + (n % 16)).padStart(2, '0')}:30` }),
        ),
      ),
    );
    const first = residents.map((day) => dayOf(day, { date: DATE, now: at('12:00') }));
    expect(first.flat()).toHaveLength(1000);
    const begun = performance.now();
    for (const day of residents) dayOf(day, { date: DATE, now: at('12:01') });
    expect(performance.now() - begun).toBeLessThan(50);
  });
});

describe('Nu and Sen', () => {
  const lunch = aReminder('lunch', { category: 'meal', minutes: 45, at: '12:00' });
  const cards = (reminders: Reminder[], clock: string, rest: Partial<DaySource> = {}) => {
    const found = nowAndNext(
      dayOf(aDay(reminders, rest), { date: DATE, now: at(clock) }),
      at(clock),
    );
    const id = (item: (typeof found)['now']) => item?.reminder.id ?? null;
    return [id(found.now), id(found.also), id(found.next)];
  };

  it('show the medicine before the meal, and the meal as "Nu också"', () => {
    expect(cards([breakfast, pill, lunch], '08:05')).toEqual(['pill', 'breakfast', 'lunch']);
    const completions = [done(`pill@${DATE}T08:00`, '08:03')];
    expect(cards([breakfast, pill, lunch], '08:05', { completions })).toEqual([
      'breakfast',
      null,
      'lunch',
    ]);
  });

  it('show what is critical before everything else', () => {
    const walk = aReminder('walk', { category: 'movement', minutes: 30, criticality: 'critical' });
    expect(cards([pill, walk], '08:05')).toEqual(['walk', 'pill', null]);
  });

  it('keep what is unanswered, without hiding what is on', () => {
    const walk = aReminder('walk', { category: 'movement', minutes: 30, at: '08:45' });
    expect(cards([breakfast], '08:50')).toEqual(['breakfast', null, null]);
    expect(cards([breakfast, walk], '08:50')).toEqual(['breakfast', 'walk', null]);
  });

  it('are empty on an empty day', () => {
    expect(cards([], '08:00')).toEqual([null, null, null]);
  });
});

describe('quarter dots', () => {
  it.each([
    ['12:07', '13:00', 4],
    ['12:08', '13:00', 3],
    ['12:14', '13:00', 3],
    ['12:00', '14:00', 8],
    ['12:00', '14:01', 0],
    ['12:52', '13:05', 2],
    ['12:54', '13:00', 0],
  ])('from %s to %s are %i', (now, next, dots) => {
    expect(quarters(at(now), at(next))).toBe(dots);
  });
});

describe('records', () => {
  it('keep an unknown category as it is, with the look of an activity', () => {
    expect(aReminder('x', { category: 'gardening' }).category).toBe('gardening');
    expect(familyOf('gardening')).toBe('act');
    expect(familyOf('toString')).toBe('act');
  });

  it('give the usual where the profile says nothing, or something unknown', () => {
    expect(readProfile(aRow({ zone: 'Mars/Olympus', level: 9 }))).toEqual(readProfile(undefined));
  });

  it('tell an alert, and null for one that is not understood', () => {
    const what = { kind: 'missed', occ: `pill@${DATE}T08:00`, at: iso('08:30') };
    const alert = readAlert(aRow({ what, step: { n: 3, of: 5, next_at: null }, taken: null }, 'a'));
    expect(alert).toEqual({
      id: 'a',
      kind: 'missed',
      occ: `pill@${DATE}T08:00`,
      reminder: null,
      at: at('08:30'),
      step: { n: 3, of: 5, nextAt: null },
      taken: null,
      closed: null,
    });
    expect(readAlert(aRow({ what: { kind: 'earthquake', at: iso('08:30') } }))).toBeNull();
  });
});
