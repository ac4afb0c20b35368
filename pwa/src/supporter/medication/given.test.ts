import { expect, it } from 'vitest';

import type { Row } from '../../offline/model';
import { amountOf, givenBefore, oneTooMany, recordedOf, type Given } from './given';

const dose = (rec: string, at: string, st = 'done', occ = 'alvedon@2026-11-27T08:00'): Row => ({
  ...{ coll: 'completion', rec, seq: 1, pending: false },
  doc: { v: { occ, at: `2026-11-27T${at}:00Z`, st, ver: 'v1' }, by: rec },
});

it('a dose that was given is told of by whoever gave it first', () => {
  const recorded = recordedOf('alvedon', {
    completions: [
      dose('kim', '07:10'),
      dose('mona', '07:04'),
      dose('jonas', '07:00', 'refused'),
      dose('eva', '06:50'),
      dose('other', '06:00', 'done', 'metoprolol@2026-11-27T08:00'),
    ],
    retracts: [
      { coll: 'retract', rec: 'x', seq: 2, pending: false, doc: { v: { of: 'eva' }, by: 'eva' } },
    ],
  });
  expect(recorded.map(({ by }) => by)).toEqual(['kim', 'mona', 'jonas']);
  expect(givenBefore(recorded, 'alvedon@2026-11-27T08:00')?.by).toBe('mona');
  expect(givenBefore(recorded, 'alvedon@2026-11-27T20:00')).toBeNull();
});

const given = (change: Partial<Given>): Given => ({
  ...{ rec: 'r', occ: 'alvedon@2026-11-27T08:00', at: 0, by: 'kim', st: 'done', givenBy: '' },
  ver: 'v1',
  written: '',
  lacked: null,
  ...change,
});

it('a dose is of the amount that the version said by which it was given, and of none that nobody knows', () => {
  const conflict = {
    active: { ver: 'v2', v: { dose: '2', unit: 'tablett' } },
    conflicts: [{ candidates: [{ op: 'v1', v: { dose: '1', unit: 'tablett' } }] }],
  };
  expect(amountOf(given({ ver: 'v1' }), conflict)).toEqual({ dose: '1', unit: 'tablett' });
  expect(amountOf(given({ ver: 'v2' }), conflict)).toEqual({ dose: '2', unit: 'tablett' });
  expect(amountOf(given({ ver: 'v0' }), conflict)).toBeNull();
  expect(amountOf(given({ ver: null }), conflict)).toBeNull();
  // What was written down as it was given holds, whatever is known of versions.
  expect(amountOf(given({ ver: 'v0', written: '0.5 tablett' }), conflict)).toEqual({
    dose: '0.5',
    unit: 'tablett',
  });
});

it('two that were given of one occurrence are one too many, and one that was refused is not', () => {
  const twice = [given({ rec: 'a' }), given({ rec: 'b', by: 'mona', ver: 'v2' })];
  expect([...oneTooMany(twice, {})]).toEqual(['alvedon@2026-11-27T08:00']);
  expect([...oneTooMany([given({}), given({ rec: 'b', st: 'refused' })], {})]).toEqual([]);
  const needed = { kind: 'as_needed', min_interval: 'PT4H', max_24h: 4 };
  const soon = [given({}), given({ rec: 'b', occ: 'alvedon@2026-11-27T09:00', at: 3_600_000 })];
  expect([...oneTooMany(soon, needed)]).toEqual(['alvedon@2026-11-27T09:00']);
});
