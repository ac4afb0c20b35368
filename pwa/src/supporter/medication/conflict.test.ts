import { describe, expect, it } from 'vitest';

import type { Json, Row } from '../../offline/model';
import {
  activeOf,
  differing,
  needsAnother,
  openConflict,
  overtaken,
  readConflict,
  versionSeen,
} from './conflict';

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

  it('has whoever wrote in it go on from their own latest, and others from what holds', () => {
    const conflict = conflictOf({
      first: candidate('v2', { made: '2026-11-27T06:00:00Z' }),
      latest: candidate('v2', { made: '2026-11-27T09:00:00Z' }),
      another: candidate('v2', { made: '2026-11-27T09:30:00Z', by: 'mona' }),
    });
    expect(versionSeen({ waiting: [], conflict, active }, 'kim')).toBe('latest');
    expect(versionSeen({ waiting: [], conflict, active }, 'sara')).toBe('v2');
    const waiting = [
      { op: 'unsent', v: { dose: '3' } },
      { op: 'choice', v: null },
    ];
    expect(versionSeen({ waiting, conflict, active }, 'kim')).toBe('unsent');
    expect(versionSeen({ waiting: [], conflict: null, active: null }, 'kim')).toBeNull();
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

describe('a choice that came too late', () => {
  const choice = { choose: 'a', base: 'v2', seen: ['a', 'b'], why: 'Provsvar' };
  const closed = (chose: string | null, candidates: Record<string, Json>) =>
    readConflict(
      row('conflict', {
        of: { coll: 'order', rec: 'alvedon' },
        ...{ state: 'closed', candidates },
        resolved: { by: 'mona', at: '2026-11-27T11:00:00Z', chose, why: 'Dr. A', op: 'r' },
      }),
      active,
    );
  const two = { a: candidate('v1'), b: candidate('v1', { v: { dose: '3' } }) };

  it('hears who decided instead, and what was its own', () => {
    expect(overtaken(choice, { conflict: closed('b', two), active })).toMatchObject({
      ...{ open: false, own: 'other', v: { dose: '2' } },
      decided: { by: 'mona', why: 'Dr. A' },
    });
    expect(overtaken(choice, { conflict: closed('a', two), active }).own).toBe('same');
    expect(overtaken({ ...choice, choose: 'v2' }, { conflict: closed('b', two), active }).own).toBe(
      'kept',
    );
    expect(overtaken(choice, { conflict: closed('x', {}), active }).own).toBe('gone');
  });

  it('hears what it had not seen while nobody has decided', () => {
    const three = { ...two, c: candidate('v1') };
    expect(overtaken(choice, { conflict: conflictOf(three), active })).toMatchObject({
      ...{ open: true, unseen: ['c'], decided: null, own: 'other' },
    });
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
