import { beforeEach, describe, expect, it } from 'vitest';

import { mos } from '../app/mos.svelte';
import { MemoryReplica } from '../offline/memory';
import protocol from '../../../docs/sync.md?raw';
import swedish from '../locales/sv/supporter.json';
import { adviceKey, canRepeat, isStuck, repeat, WHYS, whyKey, type Unsaved } from './unsaved';

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
  });

  it('is, of what has to be confirmed, a proposal for what held when it was written', async () => {
    await replica.set('elsa', 'order', 'alvedon', { active: { ver: 'today', v: { dose: '3' } } });
    const what = { v: { dose: '2' }, base: 'last-week' };
    await repeat(refused({ coll: 'order', rec: 'alvedon', what }));
    await repeat(refused({ coll: 'order', rec: 'alvedon', what: { v: { dose: '1' } } }));
    expect(replica.proposals('elsa', 'order')).toMatchObject([
      { rec: 'alvedon', v: { dose: '2' }, base: 'last-week' },
      { rec: 'alvedon', v: { dose: '1' }, base: null },
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

  it('has words for what a check of its own refuses, and offers no second try that cannot succeed', () => {
    const why = (code: string): string => whyKey(refused({ code })).split('.').at(-1) ?? '';
    expect(['missing', 'empty'].map(why)).toEqual(['lacking', 'lacking']);
    expect(['out_of_range', 'backwards', 'too_many'].map(why)).toEqual(['range', 'range', 'large']);
    const codes = ['missing', 'backwards', 'too_long', 'nul', 'malformed', 'steps_count'];
    expect(codes.filter((code) => !isStuck({ code }) || canRepeat(refused({ code })))).toEqual([]);
    expect(
      ['session', 'group', 'hook_failed', 'schema'].filter((code) => isStuck({ code })),
    ).toEqual([]);
    const shown = Object.entries(swedish).filter(([key]) => key.includes('unsaved.why.'));
    expect(shown.filter(([, text]) => text.includes('{'))).toEqual([]);
  });

  it('says why in words', () => {
    expect(whyKey(refused({ code: 'revoked' }))).toBe('supporter.unsaved.why.ended');
    expect(whyKey(refused({ code: 'malformed' }))).toBe('supporter.unsaved.why.unreadable');
    expect(whyKey(refused({ code: 'steps_count' }))).toBe('supporter.unsaved.why.check');
    expect(whyKey(refused({ code: 'group', verdict: 'invalid' }))).toBe(
      'supporter.unsaved.why.together',
    );
    expect(whyKey(refused({ code: 'group', verdict: 'forbidden' }))).toBe(
      'supporter.unsaved.why.permission',
    );
  });

  it('says why, and what to do, for every code that the protocol names', () => {
    const table = protocol.slice(protocol.indexOf('| verdict | code | because |'));
    const rows = table.slice(0, table.indexOf('\n\n')).split('\n').slice(2);
    const codes = rows.flatMap((row) =>
      [...(row.split('|')[2] ?? '').matchAll(/`(\w+)`/g)].map(([, code]) => code ?? ''),
    );

    expect(codes.length).toBeGreaterThan(20);
    expect(codes.filter((code) => !(code in WHYS))).toEqual([]);
    for (const code of codes)
      for (const key of [whyKey({ code }), adviceKey({ code })])
        expect(swedish).toHaveProperty([key]);
  });

  it('is told by its kind alone when its space is gone, and cannot be repeated', () => {
    expect(canRepeat(refused({ bare: true, what: {}, rec: '' }))).toBe(false);
    expect(canRepeat(refused({ coll: 'reminder', bare: true, what: {}, rec: '' }))).toBe(false);
  });
});
