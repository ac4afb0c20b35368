import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import cases from '../../../spec/vectors/recurrence.json';
import type { Occurrence, Rule } from './model';
import { checkRule, occurrences, scheduled } from './recurrence';
import { DAY_MS, dateOf, MINUTE_MS } from './time';

interface Ringing {
  name: string;
  rule: Rule;
  from: string;
  to: string;
  occurrences: { local: string; at: string }[];
}
interface Refused {
  name: string;
  rule: unknown;
  refused: string;
  code: string;
}
const vectors = cases as unknown as (Ringing | Refused)[];
const ringing = vectors.filter((vector) => 'occurrences' in vector);
const refused = vectors.filter((vector) => 'refused' in vector);

describe('a rule rings as its vector says', () => {
  it.each(ringing)('$name', ({ rule, from, to, occurrences: expected }) => {
    expect(checkRule(rule)).toBeNull();
    const found = occurrences(rule, Date.parse(from), Date.parse(to));
    expect(found).toEqual(expected.map(({ local, at }) => ({ local, at: Date.parse(at) })));
  });
});

describe('a wrong rule is refused and its field named', () => {
  it.each(refused)('$name', ({ rule, refused: field, code }) => {
    expect(checkRule(rule)).toEqual({ field, code });
  });

  it('rings never', () => {
    expect(() => occurrences({ kind: 'moon' } as unknown as Rule, 0, DAY_MS)).toThrow(RangeError);
  });
});

it('a pause silences, and the screens still see what it hides', () => {
  const rule: Rule = {
    zone: 'Europe/Stockholm',
    kind: 'weekly',
    days: ['mon', 'tue'],
    times: ['08:00'],
    start: '2026-06-01',
    pause: [{ from: '2026-06-02' }],
  };
  const [from, to] = [Date.parse('2026-06-01'), Date.parse('2026-06-03')];
  expect(scheduled(rule, from, to).map(({ day, paused }) => [day, paused])).toEqual([
    ['2026-06-01', false],
    ['2026-06-02', true],
  ]);
  expect(occurrences(rule, from, to)).toHaveLength(1);
});

// ───────────────────────────────────────────────────────────── for every rule

const zones = [
  'Europe/Stockholm',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Asia/Beirut',
];
/** Days around which clocks change, years end or February has one day more. */
const hardDays = [
  '2026-03-29',
  '2026-10-25',
  '2026-10-04',
  '2011-12-30',
  '2026-12-31',
  '2028-02-29',
];

const clock = fc
  .tuple(fc.constantFrom(0, 1, 2, 3, 8, 22, 23), fc.constantFrom(0, 15, 30, 45, 59))
  .map(([hour, minute]) => [hour, minute].map((part) => String(part).padStart(2, '0')).join(':'));
const times = fc.array(clock, { minLength: 1, maxLength: 4 });
const weekdays = fc.array(fc.constantFrom('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'), {
  minLength: 1,
});
const rrules = fc.constantFrom(
  'FREQ=DAILY;INTERVAL=3',
  'FREQ=DAILY;COUNT=40',
  'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU',
  'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1,1',
  'FREQ=MONTHLY;BYMONTHDAY=-1,31;COUNT=30',
  'FREQ=YEARLY;BYWEEKNO=53,1;BYDAY=SU,MO,TH',
  'FREQ=YEARLY;BYYEARDAY=366,-1,60',
  'FREQ=DAILY;UNTIL=20261231T230000Z',
);
const near = fc
  .tuple(fc.constantFrom(...hardDays), fc.integer({ min: -3, max: 3 }))
  .map(([day, off]) => Date.parse(day) / DAY_MS + off);

const kinds = fc.oneof(
  fc.record({
    kind: fc.constant('weekly'),
    days: weekdays,
    times,
    every: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ kind: fc.constant('rrule'), rrule: rrules, times }),
  fc.record({
    kind: fc.constant('interval'),
    every: fc.integer({ min: 5, max: 1439 }).map((minutes) => `PT${minutes}M`),
    from: clock,
    to: clock,
  }),
);
const aCase = fc
  .tuple(
    kinds,
    fc.constantFrom(...zones),
    near,
    fc.nat(800),
    fc.nat(6 * 24 * 60),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
  .map(([kind, zone, day, ago, minutes, share]) => {
    const rule = { ...kind, zone, start: dateOf(day - ago) } as unknown as Rule;
    const from = day * DAY_MS - DAY_MS;
    const to = from + minutes * MINUTE_MS;
    return { rule, from, to, cut: from + Math.floor((to - from) * share) };
  });

describe('every rule', () => {
  it('is ordered, and stays inside the window', () => {
    fc.assert(
      fc.property(aCase, ({ rule, from, to }) => {
        const found = occurrences(rule, from, to);
        const order = found.map(({ at }) => at);
        expect(order).toEqual([...order].sort((a, b) => a - b));
        expect(order.every((at) => from <= at && at < to)).toBe(true);
      }),
    );
  });

  it('names no occurrence twice', () => {
    fc.assert(
      fc.property(aCase, ({ rule, from, to }) => {
        const names = occurrences(rule, from, to).map(({ local }) => local);
        expect(new Set(names).size).toBe(names.length);
      }),
    );
  });

  it('rings the same when a window is cut in two', () => {
    fc.assert(
      fc.property(aCase, ({ rule, from, to, cut }) => {
        const halves: Occurrence[] = [
          ...occurrences(rule, from, cut),
          ...occurrences(rule, cut, to),
        ];
        expect(halves).toEqual(occurrences(rule, from, to));
      }),
    );
  });

  it('is read or refused, whatever is written into it', () => {
    fc.assert(
      fc.property(aCase, fc.string(), fc.jsonValue(), ({ rule }, field, value) => {
        for (const name of [field, ...Object.keys(rule)]) {
          const problem = checkRule({ ...rule, [name]: value });
          if (problem !== null)
            expect([...Object.keys(rule), name, 'rule']).toContain(problem.field);
        }
      }),
    );
  });
});

describe('what a rule costs follows the window', () => {
  const ancient = { zone: 'Europe/Stockholm', times: ['08:00'], start: '1900-01-01' };
  it.each([
    ['a COUNT of a thousand million', 'FREQ=DAILY;COUNT=1000000000'],
    ['a COUNT that ends only now', 'FREQ=DAILY;COUNT=46000'],
    ['a rule that never matches', 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30'],
    ['an interval of years', 'FREQ=YEARLY;INTERVAL=9999999999'],
  ])('%s', (_, rrule) => {
    const from = Date.parse('2026-06-01T12:00Z');
    const begun = performance.now();
    occurrences({ ...ancient, kind: 'rrule', rrule }, from, from + DAY_MS);
    expect(performance.now() - begun).toBeLessThan(500);
  });
});
