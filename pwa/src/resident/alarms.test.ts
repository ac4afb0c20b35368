import { describe, expect, it } from 'vitest';

import { alarmsAt, callOf, makesHeard, roundOf, warningAt } from './alarms';
import { anItem, at } from './testing';

const nothing = { seen: new Set<string>(), helped: new Set<string>() };
const lunch = anItem();
const medicine = anItem({
  occ: 'm@2026-11-27T12:00',
  family: 'med',
  until: '12:00',
  reminder: { criticality: 'critical', minutes: 0 },
});

describe('the screen is taken by', () => {
  it('what is due and unanswered, the most important first', () => {
    expect(alarmsAt([lunch, medicine], at('12:00'), nothing)).toEqual([medicine, lunch]);
  });

  it('what is past its time and still waits', () => {
    const open = anItem({ state: 'open' });
    expect(alarmsAt([open], at('12:20'), nothing)).toEqual([open]);
  });

  it('nothing that was answered, missed, paused or is not to ring', () => {
    const quiet = anItem({ reminder: { ring: { start: false, again: true, before: null } } });
    const others = (['done', 'missed', 'paused', 'gone', 'later'] as const).map((state) =>
      anItem({ state }),
    );
    expect(alarmsAt([quiet, ...others], at('12:00'), nothing)).toEqual([]);
  });

  it('nothing for which help is on its way', () => {
    expect(alarmsAt([lunch], at('12:00'), { ...nothing, helped: new Set([lunch.occ]) })).toEqual(
      [],
    );
  });

  it('a snoozed one when its time is up, and not before', () => {
    const snoozed = anItem({ snoozedUntil: at('12:10') });
    expect(alarmsAt([snoozed], at('12:09'), nothing)).toEqual([]);
    expect(alarmsAt([snoozed], at('12:10'), nothing)).toEqual([snoozed]);
  });

  it('a snoozed one also when its first call was seen', () => {
    const snoozed = anItem({ snoozedUntil: at('12:10'), reminder: { checkable: false } });
    const seen = new Set([callOf(anItem())]);
    expect(alarmsAt([snoozed], at('12:10'), { ...nothing, seen })).toEqual([snoozed]);
  });

  it('what needs no answer for five minutes only', () => {
    const rest = anItem({ reminder: { checkable: false } });
    expect(alarmsAt([rest], at('12:04'), nothing)).toEqual([rest]);
    expect(alarmsAt([rest], at('12:05'), nothing)).toEqual([]);
  });
});

describe('the sound', () => {
  it('comes back after five and ten minutes while nobody answers', () => {
    const rounds = ['12:00', '12:04', '12:05', '12:10', '12:25'].map((clock) =>
      roundOf(lunch, at(clock)),
    );
    expect(rounds).toEqual([1, 1, 2, 3, 3]);
  });

  it('comes once where it shall not come again', () => {
    const once = anItem({ reminder: { ring: { start: true, again: false, before: null } } });
    expect(roundOf(once, at('12:10'))).toBe(1);
  });
});

it('what begins soon is told of beforehand, until it begins', () => {
  const gym = anItem({
    state: 'later',
    reminder: { ring: { start: true, again: true, before: 10 } },
  });
  expect(warningAt([gym], at('11:49'))).toBeNull();
  expect(warningAt([gym], at('11:50'))).toEqual(gym);
  expect(warningAt([gym], at('12:00'))).toBeNull();
});

describe('what is critical, put off past its grace', () => {
  const put = anItem({
    state: 'missed',
    missedAt: at('12:15'),
    snoozedUntil: at('12:20'),
    reminder: { criticality: 'critical' },
  });

  it('keeps its word and rings once more', () => {
    expect(alarmsAt([put], at('12:19'), nothing)).toEqual([]);
    expect(alarmsAt([put], at('12:20'), nothing)).toEqual([put]);
    expect(roundOf(put, at('12:24'))).toBe(1);
    expect(alarmsAt([put], at('12:25'), nothing)).toEqual([]);
  });

  it('is over when it rang before its grace was', () => {
    expect(alarmsAt([{ ...put, missedAt: at('12:30') }], at('12:21'), nothing)).toEqual([]);
  });
});

describe('a page that is looked at makes heard', () => {
  it('what is due on it, and what is in a moment', () => {
    expect(makesHeard([lunch], lunch.occ, at('12:00'))).toBe(true);
    const soon = anItem({ state: 'later' });
    expect(makesHeard([soon], soon.occ, at('11:59'))).toBe(true);
  });

  it('nothing that it does not know, or that its slow clock puts off', () => {
    expect(makesHeard([], lunch.occ, at('12:00'))).toBe(false);
    expect(makesHeard([anItem({ state: 'later' })], lunch.occ, at('11:50'))).toBe(false);
  });
});
