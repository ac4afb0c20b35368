import { beforeAll, describe, expect, it, vi } from 'vitest';

import { needAreas } from '../app/i18n.svelte';
import type { Refused } from '../offline/model';
import { notSavedWords, ofPerson } from './not-saved';

const refused = (coll: string, what: Refused['what'] = {}): Refused => ({
  ...{ op: coll, space: 'elsa', coll, rec: 'op', what, code: 'frozen', at: 0 },
});
const LUNCH = refused('completion', { v: { occ: 'lunch@2026-11-27T12:00', st: 'done' } });
const titleOf = (_: string, reminder: string): string | null =>
  reminder === 'lunch' ? 'Lunch' : null;

beforeAll(async () => {
  vi.stubGlobal('document', { documentElement: {} });
  await needAreas('trouble');
});

describe('what was refused of what a resident did', () => {
  it('is told in one sentence, and whom to tell', () => {
    expect(notSavedWords([LUNCH], titleOf)).toBe(
      'Ditt svar om Lunch sparades inte. Säg till den som hjälper dig.',
    );
    expect(notSavedWords([LUNCH], () => null)).toContain('En sak du gjorde här sparades inte.');
    expect(notSavedWords([LUNCH, refused('snooze')], titleOf)).toContain('2 saker');
  });

  it('is a call for help first of all', () => {
    expect(notSavedWords([LUNCH, refused('help')], titleOf)).toContain(
      'rop på hjälp kom inte fram',
    );
  });

  it('is not what the device did by itself', () => {
    expect(ofPerson([refused('rang'), LUNCH])).toEqual([LUNCH]);
  });
});
