import { describe, expect, it } from 'vitest';

import vectors from '../../../spec/vectors/day.json';
import type { Json, Row } from '../offline/model';
import { readAlert } from './alert';
import {
  type DaySource,
  dayOf,
  familyOf,
  nowAndNext,
  readProfile,
  soundOf,
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

function done(occ: string, clock: string, st = 'done'): Row {
  return aRow({ v: { occ, at: iso(clock), st }, by: 'maj' });
}

interface Vector {
  name: string;
  zone: string;
  date: string;
  pause?: Json;
  reminders: ({ id: string } & Record<string, Json>)[];
  events?: { coll: string; rec: string; v: Json; by?: string }[];
  at: {
    now: string;
    states: Record<string, string>;
    cards?: Record<'now' | 'also' | 'next', string | null>;
  }[];
}

function sourceOf(vector: Vector): DaySource {
  const rowsOf = (coll: string): Row[] =>
    (vector.events ?? [])
      .filter((event) => event.coll === coll)
      .map(({ rec, v, by }) => aRow({ v, by: by ?? '' }, rec));
  return {
    reminders: vector.reminders.map(({ id, ...doc }) =>
      readReminder(aRow({ title: id, ...doc }, id)),
    ),
    completions: rowsOf('completion'),
    retracts: rowsOf('retract'),
    snoozes: rowsOf('snooze'),
    rangs: rowsOf('rang'),
    profile: readProfile(aRow({ zone: vector.zone, pause: vector.pause ?? [] })),
  };
}

describe('a day is as its vector says', () => {
  it.each(vectors.days as unknown as Vector[])('$name', (vector) => {
    for (const moment of vector.at) {
      const now = instant(moment.now, vector.zone);
      const items = dayOf(sourceOf(vector), { date: vector.date, now });
      const states = Object.fromEntries(items.map((item) => [item.occ, item.state]));
      expect(states, moment.now).toEqual(moment.states);
      if (moment.cards === undefined) continue;
      const cards = Object.entries(nowAndNext(items, now)).map(([card, item]) => [
        card,
        item?.occ ?? null,
      ]);
      expect(Object.fromEntries(cards), moment.now).toEqual(moment.cards);
    }
  });
});

describe('an item', () => {
  it('shows its times as they stand on the wall', () => {
    const [item] = dayOf(aDay([breakfast]), { date: DATE, now: at('07:00') });
    expect(item).toMatchObject({ from: '08:00', until: '08:45', occ: `breakfast@${DATE}T08:00` });
  });

  it('tells the first of two answers, and who gave it', () => {
    const occ = `breakfast@${DATE}T08:00`;
    const completions = [done(occ, '08:20', 'partly'), done(occ, '08:10', 'refused')];
    const [item] = dayOf(aDay([breakfast], { completions }), { date: DATE, now: at('08:30') });
    expect(item).toMatchObject({ outcome: 'refused', by: 'maj', doneAt: at('08:10') });
    expect(item?.completion).toBe(completions[1]?.rec);
  });

  it('with an outcome of a newer app is answered, and nobody knows how', () => {
    const completions = [done(`breakfast@${DATE}T08:00`, '08:10', 'fed_by_tube')];
    const [item] = dayOf(aDay([breakfast], { completions }), { date: DATE, now: at('08:30') });
    expect(item).toMatchObject({ state: 'done', outcome: 'unknown' });
  });

  it('tells when it rings again, until it is answered', () => {
    const occ = `pill@${DATE}T08:00`;
    const snoozes = [aRow({ v: { occ, at: iso('08:05'), until: iso('08:15') } })];
    const items = (rest: Partial<DaySource>) =>
      dayOf(aDay([pill], { snoozes, ...rest }), { date: DATE, now: at('08:06') });
    expect(items({})[0]?.snoozedUntil).toBe(at('08:15'));
    expect(items({ completions: [done(occ, '08:06')] })[0]?.snoozedUntil).toBeNull();
  });

  it('tells when it last rang, on whichever device', () => {
    const rang = (clock: string) =>
      aRow({ v: { occ: `pill@${DATE}T08:00`, at: iso(clock), how: 'sound' } });
    const rangs = [rang('08:05'), rang('08:00')];
    const [item] = dayOf(aDay([pill], { rangs }), { date: DATE, now: at('08:06') });
    expect(item?.rangAt).toBe(at('08:05'));
  });

  it('of sleep ends at its wall time in the night when the clocks change', () => {
    const sleep = aReminder('sleep', { category: 'sleep', minutes: 480, at: '22:00' });
    const [spring] = dayOf(aDay([sleep]), { date: '2026-03-29', now: 0 });
    expect(spring).toMatchObject({ until: '06:00', end: Date.parse('2026-03-29T04:00Z') });
    const [autumn] = dayOf(aDay([sleep]), { date: '2026-10-25', now: 0 });
    expect(autumn).toMatchObject({ until: '06:00', end: Date.parse('2026-10-25T05:00Z') });
  });
});

describe('a day', () => {
  it('is ordered by start, and at one time by importance', () => {
    const walk = aReminder('walk', { category: 'movement', minutes: 30, at: '07:00' });
    const items = dayOf(aDay([breakfast, pill, walk]), { date: DATE, now: 0 });
    expect(items.map((item) => item.reminder.id)).toEqual(['walk', 'pill', 'breakfast']);
  });

  it('is not broken by a rule from a newer release', () => {
    const newer = readReminder(aRow({ title: 'Ny', rule: { kind: 'moon', zone: ZONE } }, 'newer'));
    const empty = readReminder(aRow({ title: 'Tom' }, 'empty'));
    expect(dayOf(aDay([newer, empty, breakfast]), { date: DATE, now: 0 })).toHaveLength(1);
  });

  it("joined with the next one's shows a night's sleep once", () => {
    const sleep = aReminder('sleep', { category: 'sleep', minutes: 480, at: '22:00' });
    const now = at('23:00');
    const two = [DATE, '2026-11-28'].flatMap((date) => dayOf(aDay([sleep]), { date, now }));
    expect(nowAndNext(two, now)).toMatchObject({
      now: { occ: `sleep@${DATE}T22:00` },
      also: null,
      next: { occ: 'sleep@2026-11-28T22:00' },
    });
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

  it('call as they say, and never fall silent by a word of a later release', () => {
    const read = (doc: Record<string, Json>) => {
      const profile = readProfile(aRow(doc));
      const sounds = [true, false].map((checkable) => soundOf(profile, { checkable }));
      return [...sounds, profile.loudest, profile.buzz];
    };
    expect(read({})).toEqual(['soft', 'soft', 100, 'short']);
    expect(read({ sound: 'bird' })).toEqual(['bird', 'bird', 100, 'short']);
    expect(read({ sound: 'bird', sound_tell: 'none', loudest: 50, buzz: 'long' })).toEqual([
      'bird',
      'none',
      50,
      'long',
    ]);
    expect(read({ sound: 'whale', sound_tell: 'whale', loudest: 900, buzz: 'whale' })).toEqual([
      'soft',
      'soft',
      100,
      'short',
    ]);
    // Who cannot hear may want to feel it.
    expect(read({ sound: 'none', sound_tell: 'bird' })).toEqual(['none', 'none', 100, 'none']);
    expect(read({ sound: 'none', buzz: 'long' })[3]).toBe('long');
  });

  it.each([
    ['unwilling', true],
    ['help', false],
  ])('tell of a call for help whether somebody does not want to: %s', (why, unwilling) => {
    const row = aRow({ what: { kind: 'help', at: iso('08:30'), help: 'call' } });
    const call = (rec: string) => (rec === 'call' ? aRow({ v: { why } }) : undefined);
    expect(readAlert(row, call)?.unwilling).toBe(unwilling);
    expect(readAlert(row)?.unwilling).toBe(false);
  });

  it('tell an alert, and null for one that is not understood', () => {
    const what = { kind: 'missed', occ: `pill@${DATE}T08:00`, at: iso('08:30') };
    const alert = readAlert(aRow({ what, step: { n: 3, of: 5, next_at: null }, taken: null }, 'a'));
    expect(alert).toEqual({
      id: 'a',
      kind: 'missed',
      occ: `pill@${DATE}T08:00`,
      reminder: null,
      unwilling: false,
      about: null,
      at: at('08:30'),
      step: { n: 3, of: 5, nextAt: null },
      taken: null,
      closed: null,
    });
    expect(readAlert(aRow({ what: { kind: 'earthquake', at: iso('08:30') } }))).toBeNull();
  });
});
