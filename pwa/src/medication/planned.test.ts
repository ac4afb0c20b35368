import { expect, it } from 'vitest';

import type { Row } from '../offline/model';
import { former, given, planned } from './planned';

const ORDER = {
  kind: 'times',
  drug: 'Furix',
  strength: '40 mg',
  dose: '1.5',
  unit: 'tablett',
  text: '',
  critical: false,
  window: null,
  until: null,
  stopped: null,
  rule: {
    kind: 'weekly',
    zone: 'UTC',
    days: ['sat'],
    times: ['16:10'],
    start: '2026-01-03',
  },
};
const row = (v: object): Row =>
  ({ rec: 'furix', coll: 'order', doc: { active: { ver: 'v2', v } }, pending: false }) as never;

it('an outcome says how much the version said that was shown', () => {
  const [dose] = planned([row(ORDER)], 'm', 'sv');

  expect(dose?.note).toBe('1,5 tablett');
  expect(dose?.order?.said).toEqual({ ver: 'v2', amount: '1.5 tablett' });
});

it('what was given by another version is shown in the amount of that time', () => {
  const [dose] = planned([row(ORDER)], 'm', 'sv');
  if (dose === undefined) throw new Error('the order plans nothing');

  expect(given(dose, { ver: 'v2', amount: '1.5 tablett' }, 'sv').note).toBe('1,5 tablett');
  expect(given(dose, { ver: 'v1', amount: '0.5 tablett' }, 'sv').note).toBe('0,5 tablett');
  // Nobody wrote it down then: better none than a wrong one.
  expect(given(dose, { ver: 'v1' }, 'sv').note).toBe('');
});

it.each([
  ['stopped', { stopped: { at: '2026-11-28T07:10:00Z', why: 'Utslag' } }],
  ['over', { until: '2026-01-01' }],
])('an order that is %s plans nothing and is known by what it was', (_, changes) => {
  const ended = row({ ...ORDER, ...changes });

  expect(planned([ended], 'm', 'sv')).toEqual([]);
  expect(former(ended, 'm', 'sv')?.title).toBe('Furix 40 mg');
});
