import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import records from '../../../docs/records.md?raw';
import { needAreas } from '../app/i18n.svelte';
import { mos } from '../app/mos.svelte';
import { ALLERGENS } from '../meals/allergy';
import { MemoryReplica } from '../offline/memory';
import type { Json } from '../offline/model';
import swedish from '../locales/sv/supporter.json';
import { blankOrder, orderOf } from './medication/order-form';
import type { Unsaved } from './unsaved';
import { writtenWords } from './written';

const TODAY = '2026-11-27';
const AT = '2026-11-27T11:20:00Z';
const OCC = 'lunch@2026-11-27T12:00';
const RULE = { kind: 'once', zone: 'Europe/Stockholm', at: '2026-11-28T10:00' };
const ORDER = orderOf(
  {
    ...blankOrder({ zone: 'Europe/Stockholm', date: TODAY }),
    ...{ drug: 'Waran', strength: '2,5 mg', form: 'tablett', dose: '1,5', unit: 'tablett' },
  },
  null,
);

/** Every collection that people write, with every group or field it may have. */
const WHOLE: Readonly<Record<string, Json>> = {
  profile: {
    ...{ name: 'Elsa', flat: '3', face: 'owl', zone: 'Europe/Stockholm', language: 'fi', level: 2 },
    ...{ weekdays: 'weekend', theme: 'dark', night: { from: '23:00', to: '06:00' } },
    parts: { morning: '06:00', day: '10:00', evening: '18:00', night: '23:00' },
    ...{ sound: 'bell', sound_tell: null, loudest: 80, buzz: 'short' },
    pause: [{ from: '2026-11-27', to: '2026-11-30', why: 'Sjukhus' }],
  },
  reminder: {
    ...{ title: 'Karin ringer', category: 'other', label: 'Samtal', symbol: 'phone', note: 'Hej' },
    ...{ minutes: 20, checkable: true, grace: null, criticality: 'important', rule: RULE },
    ...{ ring: { start: true, again: true, before: 10 }, deleted: false },
  },
  ladder: {
    for: { category: 'meal', criticality: null },
    steps: [
      { tell: 'unit', after: 0 },
      { tell: 'all', after: 30, by: ['push'] },
    ],
    deleted: false,
  },
  completion: { v: { occ: OCC, at: AT, st: 'refused', note: 'Mådde illa', ver: 'x', prn: true } },
  retract: { v: { of: 'event', at: AT } },
  snooze: { v: { occ: OCC, at: AT, until: AT } },
  help: { v: { occ: OCC, at: AT, why: 'unwilling' } },
  rang: { v: { occ: OCC, at: AT, how: 'silent' } },
  alert: {
    taken: { by: 'sara', at: AT, again_at: AT, to: 'bo' },
    closed: { at: AT, why: 'by_hand' },
  },
  allergy: { v: { key: 'MILK', severity: 'anaphylaxis', source: 'Journal', at: AT } },
  allergy_lowering: { v: { key: 'MILK', covers: ['a'], to: 'allergy', why: 'Provad' } },
  texture: { v: { food: { scale: 'iddsi', level: 4 }, drink: 2, source: 'Logoped', why: 'Hosta' } },
  order: { v: ORDER },
};

beforeAll(async () => {
  vi.stubGlobal('document', { documentElement: {} });
  await needAreas('common', 'supporter', 'sounds');
});

beforeEach(async () => {
  const replica = new MemoryReplica('sara');
  mos.open(replica);
  await replica.set('elsa', 'reminder', 'lunch', { title: 'Lunch' });
});

function written(coll: string, what: Json) {
  const unsaved: Unsaved = { op: 'op', space: 'elsa', coll, rec: 'rec', what, code: 'permission' };
  const { lines, rest } = writtenWords(unsaved, { today: TODAY, zone: 'Europe/Stockholm' });
  return { said: Object.fromEntries(lines.map(({ key, text }) => [key, text])), rest };
}

describe('what was written and could not be saved', () => {
  const table = records.slice(records.indexOf('| coll |'));
  const rows = table.slice(0, table.indexOf('\n\n')).split('\n').slice(2);
  const collections = rows
    .filter((row) => !row.includes('the server alone'))
    .map((row) => /`(\w+)`/.exec(row)?.[1] ?? '');

  it.each(collections)('is said in words, all of it: %s', (coll) => {
    const { said, rest } = written(coll, WHOLE[coll] ?? null);

    expect(rest).toBeNull();
    expect(Object.values(said).length).toBeGreaterThan(0);
    // No key of a catalogue, no name out of the protocol.
    expect(Object.values(said).join(' ')).not.toMatch(
      /supporter\.|undefined|\[object|[a-z]+_[a-z]+/,
    );
  });

  it('is a choice between versions, with its reason', () => {
    expect(written('order', { choose: 'version', why: 'Enligt läkaren' })).toEqual({
      said: { choose: 'En av versionerna', why: 'Enligt läkaren' },
      rest: null,
    });
  });

  it('names what it is about, and when', () => {
    expect(written('completion', WHOLE['completion'] ?? null).said).toMatchObject({
      ...{ occ: 'Lunch, 2026-11-27 12:00', at: '12:20', st: 'Ville inte', note: 'Mådde illa' },
    });
    expect(written('allergy', WHOLE['allergy'] ?? null).said).toMatchObject({
      ...{ key: 'Mjölk', severity: 'Anafylaxi', source: 'Journal' },
    });
  });

  it('has a name for every substance', () => {
    for (const key of ALLERGENS) expect(swedish).toHaveProperty([`supporter.allergen.${key}`]);
  });

  it('is said as a reminder is, and what has no words stands as it came', () => {
    expect(written('reminder', { title: 'Karin ringer', rule: RULE, colour: 'red' })).toEqual({
      said: {
        title: 'Karin ringer',
        rule: expect.stringMatching(/28 november.* 10:00$/) as string,
      },
      rest: { colour: 'red' },
    });
  });

  it('is said as an order is', () => {
    const { said, rest } = written('order', { v: ORDER });
    expect(said).toMatchObject({ drug: 'Waran 2,5 mg', dose: '1,5 tablett' });
    expect(rest).toBeNull();
  });

  it.each([
    ['order', { v: { dose: '2' } }],
    ['reminder', { title: 7 }],
    ['reminder', { rule: { kind: 'weekly' } }],
    ['reminder', 'torn'],
    ['from_the_future', { v: { minutes: 10 } }],
  ])('stands as it came where it cannot be read: %s %j', (coll, what) => {
    expect(written(coll, what as Json)).toEqual({ said: {}, rest: what });
  });
});
