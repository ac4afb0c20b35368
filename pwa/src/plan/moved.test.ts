import { describe, expect, it } from 'vitest';

import type { Json, Row } from '../offline/model';
import { readProfile, type DaySource } from './day';
import type { Item, Reminder } from './model';
import { dayOf } from './moved';

const DATE = '2026-11-28';
const now = Date.parse(`${DATE}T17:00Z`);

function reminder(id: string, times: string[], changes: Partial<Reminder> = {}): Reminder {
  return {
    id,
    title: id,
    category: 'medication',
    label: '',
    symbol: '',
    note: '1 tablett',
    minutes: 0,
    checkable: true,
    grace: null,
    criticality: 'normal',
    ring: { start: true, again: true, before: null },
    rule: {
      kind: 'weekly',
      zone: 'UTC',
      days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
      times,
      start: '2026-01-01',
    },
    ...changes,
  };
}

function said(rec: string, v: Record<string, Json>): Row {
  return { rec, coll: 'completion', doc: { v, by: 'sara' }, pending: false } as unknown as Row;
}

const done = (rec: string, time: string, more: Record<string, Json> = {}): Row =>
  said(rec, { occ: `dose@${DATE}T${time}`, at: `${DATE}T${time}:40Z`, st: 'done', ...more });

function day(
  reminders: Reminder[],
  completions: Row[],
  more: { retracts?: Row[]; former?: Reminder; given?: Reminder } = {},
): Item[] {
  const source: DaySource = {
    profile: { ...readProfile(undefined), zone: 'UTC' },
    reminders,
    completions,
    retracts: more.retracts ?? [],
    snoozes: [],
    rangs: [],
  };
  return dayOf(
    source,
    { date: DATE, now },
    { former: () => more.former ?? null, given: (known) => more.given ?? known },
  );
}

const shown = (items: Item[]): string[] => items.map(({ from, state }) => `${from} ${state}`);

describe('a day whose plan was changed after an answer', () => {
  it('keeps the dose that was given, and asks for it no more at its new time', () => {
    const items = day([reminder('dose', ['15:50'])], [done('c', '15:05')]);

    expect(shown(items)).toEqual(['15:05 done']);
    expect(items[0]).toMatchObject({ completion: 'c', by: 'sara' });
  });

  it('asks for it once the answer is taken back', () => {
    const back = said('r', { of: 'c', at: `${DATE}T15:07Z` });

    const items = day([reminder('dose', ['16:50'])], [done('c', '16:05')], { retracts: [back] });

    expect(shown(items)).toEqual(['16:50 now']);
  });

  it('keeps the evening where the morning that was given is taken out of the plan', () => {
    const items = day([reminder('dose', ['20:00'])], [done('c', '08:00')]);

    expect(shown(items)).toEqual(['08:00 done', '20:00 later']);
  });

  it('keeps what was given of an order that was stopped, and of a reminder that is gone', () => {
    const items = day([], [done('c', '07:06')], { former: reminder('dose', ['07:00']) });

    expect(shown(items)).toEqual(['07:06 done']);
  });

  it('leaves out what nothing is known of any more', () => {
    expect(day([], [done('c', '07:06')])).toEqual([]);
  });

  it('lets what comes once and is moved come once more', () => {
    const once = reminder('dose', [], {
      category: 'meeting',
      rule: { kind: 'once', zone: 'UTC', at: `${DATE}T17:00` },
    });

    expect(shown(day([once], [done('c', '16:30')]))).toEqual(['16:30 done', '17:00 now']);
  });

  it('asks for no dose of an order that has times since somebody gave one as needed just before', () => {
    const given = [done('c', '16:30', { prn: true })];

    expect(shown(day([reminder('dose', ['17:00'])], given))).toEqual(['16:30 done']);
    expect(shown(day([reminder('dose', ['19:00'])], given))).toEqual(['16:30 done', '19:00 later']);
  });

  it('leaves doses as needed to the list of what was given, as long as the order has no times', () => {
    const given = [done('c', '16:30', { prn: true })];

    expect(day([], given, { former: reminder('dose', ['08:00']) })).toEqual([]);
  });

  it('shows what was given as it was then', () => {
    const then = reminder('dose', ['16:10'], { note: '2 tabletter' });

    const [item] = day([reminder('dose', ['16:10'])], [done('c', '16:10')], { given: then });

    expect(item?.reminder.note).toBe('2 tabletter');
  });
});
