import { expect, it } from 'vitest';

import type { Row } from '../../offline/model';
import { givenBefore, recordedOf } from './given';

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
