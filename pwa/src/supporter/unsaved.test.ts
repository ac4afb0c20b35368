import { beforeEach, describe, expect, it } from 'vitest';

import { mos } from '../app/mos.svelte';
import { MemoryReplica } from '../offline/memory';
import { canRepeat, repeat, whyKey, type Unsaved } from './unsaved';

const refused = (change: Partial<Unsaved>): Unsaved => ({
  op: 'op',
  space: 'elsa',
  coll: 'completion',
  rec: null,
  what: { v: { occ: 'lunch@2026-11-27T12:00', at: '2026-11-27T11:20:00Z', st: 'done' } },
  code: 'permission',
  ...change,
});

let replica: MemoryReplica;
beforeEach(() => {
  replica = new MemoryReplica('sara');
  mos.open(replica);
});

describe('what could not be saved', () => {
  it('is written anew as it was, by whoever tries again', async () => {
    await repeat(refused({}));
    expect(replica.rows('elsa', 'completion')[0]?.doc).toMatchObject({
      v: { st: 'done' },
      by: 'sara',
    });
    await repeat(refused({ coll: 'reminder', rec: 'lunch', what: { title: 'Lunch' } }));
    expect(replica.row('elsa', 'reminder', 'lunch')?.doc).toMatchObject({ title: 'Lunch' });
    await repeat(refused({ coll: 'order', rec: 'alvedon', what: { v: { dose: '2' } } }));
    expect(replica.proposals('elsa', 'order')).toMatchObject([
      { rec: 'alvedon', v: { dose: '2' } },
    ]);
  });

  it('cannot be repeated when nobody knows what it was, or it was a choice', () => {
    expect(canRepeat(refused({}))).toBe(true);
    expect(canRepeat(refused({ what: 'torn' }))).toBe(false);
    expect(canRepeat(refused({ coll: 'reminder', what: { title: 'Lunch' } }))).toBe(false);
    expect(canRepeat(refused({ coll: 'from_the_future' }))).toBe(false);
    expect(
      canRepeat(refused({ coll: 'order', rec: 'a', what: { choose: 'x', why: 'Provsvar' } })),
    ).toBe(false);
  });

  it('says why in words, and the code where there are none', () => {
    expect(whyKey(refused({ code: 'revoked' }))).toBe('supporter.unsaved.why.ended');
    expect(whyKey(refused({ code: 'malformed' }))).toBe('supporter.unsaved.why.unreadable');
  });
});
