import { describe, expect, it } from 'vitest';

import type { Json, Row } from '../../offline/model';
import { activeOf, differing, needsAnother, openConflict } from './conflict';

const row = (coll: string, doc: Record<string, Json>, rec = 'r'): Row => ({
  ...{ coll, rec, seq: 1, doc, pending: false },
});
const active = activeOf(
  row('order', { active: { ver: 'v2', v: { dose: '1' }, by: 'mona', at: '2026-11-27T07:00:00Z' } }),
);
const candidate = (base: string | null, change: Record<string, Json> = {}): Json => ({
  ...{ base, trunk: 'v1', v: { dose: '2' }, by: 'kim', device: 'd', why: 'base', was: [] },
  ...{ at: '2026-11-27T10:00:00Z', made: '2026-11-27T08:00:00Z', ...change },
});
const conflictOf = (candidates: Record<string, Json>, state = 'open') =>
  openConflict(
    [
      row('conflict', {
        of: { coll: 'order', rec: 'alvedon' },
        state,
        opened: { at: '2026-11-27T10:00:00Z', active: 'v2' },
        candidates,
      }),
    ],
    { coll: 'order', rec: 'alvedon', active },
  );

describe('a conflict', () => {
  it('is there while it is open', () => {
    expect(conflictOf({ c1: candidate('v1') })?.candidates).toHaveLength(1);
    expect(conflictOf({ c1: candidate('v1') }, 'closed')).toBeNull();
  });

  it('says what each author had seen', () => {
    const found = conflictOf({
      a: candidate('v2'),
      b: candidate('v1'),
      c: candidate('b'),
      d: candidate(null),
    });
    expect(Object.fromEntries(found?.candidates.map(({ op, saw }) => [op, saw]) ?? [])).toEqual({
      ...{ a: 'active', b: 'older', c: 'proposal', d: 'nothing' },
    });
  });

  it('lists proposals in the order in which they were written', () => {
    const found = conflictOf({
      late: candidate('v2', { made: '2026-11-27T09:00:00Z' }),
      soon: candidate('v2', { made: '2026-11-27T06:00:00Z' }),
    });
    expect(found?.candidates.map(({ op }) => op)).toEqual(['soon', 'late']);
  });

  it('cannot be decided by one person where it takes two', () => {
    const [mine] = conflictOf({ a: candidate('v2', { why: 'second' }) })?.candidates ?? [];
    expect(mine && needsAnother(mine, 'kim')).toBe(true);
    expect(mine && needsAnother(mine, 'mona')).toBe(false);
  });
});

describe('what differs', () => {
  it('is marked word by word', () => {
    expect(differing('1 tablett 08:00 och 20:00', '2 tabletter 08:00 och 20:00')).toEqual([
      { text: '1 tablett', is: 'gone' },
      { text: '2 tabletter', is: 'new' },
      { text: '08:00 och 20:00', is: 'same' },
    ]);
    expect(differing('', 'till maten')).toEqual([{ text: 'till maten', is: 'new' }]);
    expect(differing('som förut', 'som förut')).toEqual([{ text: 'som förut', is: 'same' }]);
  });
});
