import { expect, it } from 'vitest';

import { daysLeft, lastDayAtMost, partOf, type Delegation } from './delegation';

const NOW = Date.parse('2026-11-25T09:00:00Z');

function of(more: Partial<Delegation>): Delegation {
  return { until: '2027-11-24T23:00:00Z', ended_at: null, renewed: false, ...more } as Delegation;
}

it.each([
  ['valid', {}],
  ['valid', { until: '2026-12-25T23:00:00Z' }],
  ['soon', { until: '2026-12-24T23:00:00Z' }],
  ['valid', { until: '2026-12-24T23:00:00Z', renewed: true }],
  ['over', { until: '2026-11-25T09:00:00Z' }],
  ['over', { ended_at: '2026-11-24T09:00:00Z' }],
] as const)('stands among what is %s: %o', (part, more) => {
  expect(partOf(of(more), NOW)).toBe(part);
});

it('counts the day that has begun', () => {
  expect(daysLeft(of({ until: '2026-11-25T23:00:00Z' }), NOW)).toBe(1);
  expect(daysLeft(of({ until: '2026-12-02T09:00:00Z' }), NOW)).toBe(7);
});

it.each([
  ['2026-11-25', '2027-11-24'],
  ['2027-01-01', '2027-12-31'],
  ['2028-02-29', '2029-02-28'],
  ['2027-03-01', '2028-02-29'],
])('lasts a year and no day more: %s', (first, last) => {
  expect(lastDayAtMost(first)).toBe(last);
});
