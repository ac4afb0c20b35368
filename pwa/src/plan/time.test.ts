import { describe, expect, it } from 'vitest';

import { addDays, dayNumber, dayPart, instant, isZone, wallTime, weekday } from './time';

const ZONE = 'Europe/Stockholm';

describe('days', () => {
  it('are added across months, leap days and the change of the clocks', () => {
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
    expect(addDays('2026-03-30', -1)).toBe('2026-03-29');
  });

  it('have weekdays', () => {
    expect(weekday('2026-11-27')).toBe('fri');
    expect(weekday('1969-12-29')).toBe('mon');
  });

  it('are days of the calendar, or nothing', () => {
    expect(dayNumber('2026-02-29')).toBeNull();
    expect(dayNumber('2026-13-01')).toBeNull();
    expect(dayNumber('2026-1-1')).toBeNull();
    expect(() => addDays('soon', 1)).toThrow(RangeError);
  });
});

describe('the wall', () => {
  it('shows the repeated hour twice', () => {
    expect(wallTime(Date.parse('2026-10-25T00:30Z'), ZONE)).toBe('2026-10-25T02:30');
    expect(wallTime(Date.parse('2026-10-25T01:30Z'), ZONE)).toBe('2026-10-25T02:30');
  });

  it.each([
    ['2026-11-27T08:00', ZONE, '2026-11-27T07:00Z'],
    ['2026-03-29T02:30', ZONE, '2026-03-29T01:00Z'],
    ['2026-10-25T02:30', ZONE, '2026-10-25T00:30Z'],
    ['2026-10-04T02:15', 'Australia/Lord_Howe', '2026-10-03T15:30Z'],
    ['2011-12-30T08:00', 'Pacific/Apia', '2011-12-30T10:00Z'],
  ])('%s in %s is one instant', (local, zone, at) => {
    expect(instant(local, zone)).toBe(Date.parse(at));
  });

  it('is no wall without a zone', () => {
    expect(() => wallTime(0, 'Europe/Atlantis')).toThrow(RangeError);
    expect(() => instant('2026-11-27T24:00', ZONE)).toThrow(RangeError);
  });
});

describe('zones', () => {
  it.each(['Europe/Stockholm', 'UTC', 'Asia/Calcutta', 'Etc/GMT+5'])('%s is one', (name) => {
    expect(isZone(name)).toBe(true);
  });

  it.each(['', 'Europe', 'europe/stockholm', '+01:00', 'PST', 'Factory', '../etc/passwd'])(
    '%s is none',
    (name) => {
      expect(isZone(name)).toBe(false);
    },
  );
});

describe('parts of the day', () => {
  const parts = { morning: '06:00', day: '10:00', evening: '18:00', night: '23:00' };

  it.each([
    ['05:59', 'night'],
    ['06:00', 'morning'],
    ['09:59', 'morning'],
    ['10:00', 'day'],
    ['18:00', 'evening'],
    ['23:00', 'night'],
    ['00:00', 'night'],
  ])('at %s it is %s', (clock, part) => {
    expect(dayPart(instant(`2026-11-27T${clock}`, ZONE), ZONE, parts)).toBe(part);
  });
});
