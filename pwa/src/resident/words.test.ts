import { describe, expect, it, vi } from 'vitest';

import { mos } from '../app/mos.svelte';
import sv from '../locales/sv/resident.json';
import { MemoryReplica } from '../offline/memory';
import type { Item } from '../plan/model';
import { alarmWords } from './alarm-words';
import { anItem } from './testing';
import { farWords, hourWords, quarterWords, tellDay, tellItem, untilWords } from './words';

vi.mock('../app/i18n.svelte', () => import('./sv.testing'));

const minute = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
const lunch = anItem();
const rest = anItem({
  family: 'rest',
  from: '13:00',
  until: '14:00',
  state: 'later',
  reminder: { title: 'Vila' },
});
const sleep = anItem({
  family: 'sleep',
  from: '22:00',
  state: 'later',
  reminder: { title: 'Sova' },
});

describe('the day in words', () => {
  const noon = { date: '2026-11-27', minute: minute('12:00'), part: 'day' as const };
  const nothing = { now: null, next: null, nextAt: null, sleep: null, paused: false };

  it('says the time, the day, what is on, what comes and when one sleeps', () => {
    const told = tellDay({
      date: '2026-11-27',
      minute: minute('12:14'),
      part: 'day',
      now: lunch,
      next: rest,
      nextAt: minute('13:00'),
      sleep,
      paused: false,
    });
    expect(told).toBe(
      'Klockan är 12:14. Fredag, dag. Nu: Lunch, till 12:45. Sen: Vila klockan 13:00, 3 kvartar kvar. Sova klockan 22:00.',
    );
  });

  it('says that nothing more comes', () => {
    const told = tellDay({
      date: '2026-11-27',
      minute: minute('21:00'),
      part: 'evening',
      now: null,
      next: null,
      nextAt: null,
      sleep: null,
      paused: false,
    });
    expect(told).toBe('Klockan är 21:00. Fredag, kväll. Nu: ledig stund. Inget mer i dag.');
  });

  it('says that the day is paused, in place of that nothing comes', () => {
    expect(tellDay({ ...noon, ...nothing, paused: true })).toBe(
      'Klockan är 12:00. Fredag, dag. Nu: paus i dag. Inget ringer i dag.',
    );
  });

  it('says what became of a thing, and calls nothing done that was not', () => {
    const told = (outcome: Item['outcome']) => tellItem(anItem({ state: 'done', outcome }));
    expect(told('done')).toBe('12:00 Lunch, Klar');
    expect(told('refused')).toBe('12:00 Lunch, Ville inte');
    expect(told('other')).toBe('12:00 Lunch, Annat');
    expect(told('unknown')).toBe('12:00 Lunch, Besvarat');
  });

  it('says that the time is not sure while the clock is known to be wrong', () => {
    const replica = new MemoryReplica('account-1');
    replica.state = { ...replica.state, skewMs: -180_000 };
    mos.open(replica);
    expect(tellDay({ ...noon, ...nothing })).toContain('Klockan är ≈\u00a012:00.');
    replica.state = { ...replica.state, skewMs: 90_000 };
    expect(tellDay({ ...noon, ...nothing })).toContain('Klockan är 12:00.');
  });

  it('never tells a resident that something was missed', () => {
    for (const state of ['open', 'missed'] as const) {
      expect(tellItem(anItem({ state }))).toBe('12:00 Lunch, Inte klart än');
      expect(untilWords(anItem({ state }))).toBe('från 12:00');
    }
    expect(JSON.stringify(sv).toLowerCase()).not.toContain('missa');
  });
});

describe('how long it is', () => {
  it('is told in quarters and hours, up to two', () => {
    const from = minute('12:00');
    expect(quarterWords(from, from + 15)).toBe('1 kvart kvar');
    expect(quarterWords(from, from + 45)).toBe('3 kvartar kvar');
    expect(quarterWords(from, from + 60)).toBe('1 timme kvar');
    expect(quarterWords(from, from + 120)).toBe('2 timmar kvar');
    expect(quarterWords(from, from + 135)).toBeNull();
    expect(quarterWords(minute('12:55'), minute('13:00'))).toBe('Strax');
    expect(quarterWords(minute('22:33'), minute('22:34'))).toBe('Strax');
  });

  it('is told by what lies between when it is far', () => {
    expect(farWords(lunch, 'day', false)).toBe('efter lunch');
    expect(farWords(null, 'evening', false)).toBe('i kväll');
    expect(farWords(lunch, 'morning', true)).toBe('i morgon');
  });

  it('is told as people say it', () => {
    expect([hourWords('07:00'), hourWords('07:30')]).toEqual(['7', '7:30']);
  });
});

describe('an alarm', () => {
  const medicine = (title: string, note: string, symbol = 'pill') =>
    alarmWords(
      anItem({ family: 'med', reminder: { title, note, symbol, category: 'medication' } }),
    );

  it('names the medicine with its strength, and how to take it, as it was written', () => {
    const words = medicine('Medicin', 'Metoprolol 50 mg. 1 tablett med vatten.');
    expect(words).toMatchObject({
      title: 'Ta din medicin',
      what: 'Metoprolol 50 mg',
      how: '1 tablett med vatten',
      answer: 'Jag har tagit den',
    });
  });

  it('keeps a strength with a decimal point in one piece', () => {
    const words = medicine('Medicin', 'Digoxin 0.25 mg. Halv tablett. Efter maten.');
    expect([words.what, words.how]).toEqual(['Digoxin 0.25 mg', 'Halv tablett. Efter maten.']);
  });

  it('takes the name from the title when it is there', () => {
    const words = medicine('Alvedon 500 mg', '2 tabletter');
    expect([words.what, words.how]).toEqual(['Alvedon 500 mg', '2 tabletter']);
  });

  it('names an ordered medicine by its own name, with a strength or without', () => {
    const order = { space: 'm', ver: 'v1', said: { ver: 'v1', amount: '1 tablett' } };
    const words = alarmWords(
      anItem({ family: 'med', reminder: { title: 'Levaxin', note: '0,5 tablett', order } }),
    );
    expect([words.what, words.how]).toEqual(['Levaxin', '0,5 tablett']);
  });

  it('shows the picture of this medicine beside the one of all', () => {
    expect(medicine('Medicin', '', 'tablet-and-water')).toMatchObject({
      symbol: 'pill',
      own: 'tablet-and-water',
    });
    expect(medicine('Medicin', '').own).toBe('');
  });

  it('has a title of at most six words', () => {
    const long = 'Ring till Karin och fråga om hon kommer på söndag';
    const words = alarmWords(anItem({ reminder: { title: long } }));
    expect(words.title.split(' ').length).toBeLessThanOrEqual(6);
    expect(words.what).toBe(long);
  });

  it('asks for no answer where none is wanted', () => {
    expect(alarmWords(anItem({ reminder: { checkable: false } })).answer).toBe('Jag ser');
  });
});

describe('what a resident reads', () => {
  const sentences = Object.values(sv).flatMap((text) =>
    text.split(/[.!?]/u).filter((sentence) => sentence.trim() !== ''),
  );

  it('has at most ten words in a sentence', () => {
    for (const sentence of sentences) {
      expect(sentence.trim().split(/\s+/u).length, sentence).toBeLessThanOrEqual(10);
    }
  });

  it('is easy to read: LIX under 30', () => {
    const words = sentences.flatMap((sentence) => sentence.match(/\p{L}+/gu) ?? []);
    const long = words.filter((word) => word.length > 6);
    expect(words.length / sentences.length + (long.length * 100) / words.length).toBeLessThan(30);
  });
});
