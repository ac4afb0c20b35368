import { describe, expect, it } from 'vitest';

import { at, anItem } from '../testing';
import { BEAD, FULL } from './geometry';
import { plateOf } from './plate';

const parts = { morning: '06:00', day: '10:00', evening: '18:00', night: '23:00' };
const draw = (items: Parameters<typeof plateOf>[0], minute: number) =>
  plateOf(items, { minute, parts, sizes: FULL });
const NOON = 720;

const medicine = (from: string, changes: Parameters<typeof anItem>[0] = {}) =>
  anItem({
    occ: `m${from}`,
    family: 'med',
    from,
    until: from,
    state: 'later',
    ...changes,
    reminder: {
      id: `m${from}`,
      category: 'medication',
      symbol: 'pill',
      minutes: 0,
      ...changes.reminder,
    },
  });

describe('the plate', () => {
  it('shows what was missed as waiting, never as missed', () => {
    expect(draw([anItem({ state: 'missed' })], NOON).arcs[0]?.look).toBe('open');
  });

  it('tells what is done from what was answered otherwise', () => {
    const answered = (outcome: 'done' | 'partly' | 'refused' | 'unknown') => {
      const meal = draw([anItem({ state: 'done', outcome })], NOON).arcs[0];
      const pill = draw([medicine('08:00', { state: 'done', outcome })], NOON).beads[0];
      return [meal?.look, meal?.done, pill?.done];
    };
    expect(answered('done')).toEqual(['done', true, true]);
    expect(answered('partly')).toEqual(['done', true, true]);
    expect(answered('refused')).toEqual(['done', false, false]);
    expect(answered('unknown')).toEqual(['done', false, false]);
  });

  it('calls two medicines done only when both are', () => {
    const given = medicine('08:00', { state: 'done', outcome: 'done' });
    const refused = medicine('08:00', { occ: 'x', state: 'done', outcome: 'refused' });
    expect(draw([given, refused], NOON).beads).toMatchObject([{ look: 'done', done: false }]);
  });

  it('leaves out what is paused', () => {
    expect(draw([anItem({ state: 'paused' })], NOON).arcs).toEqual([]);
  });

  it('draws one night: tonight’s when last night is over, last night’s while it lasts', () => {
    const night = (occ: string, state: 'gone' | 'now' | 'later') =>
      anItem({ occ, family: 'sleep', from: '22:00', until: '07:00', state, reminder: { id: 's' } });
    expect(draw([night('last', 'gone'), night('next', 'later')], NOON).arcs).toMatchObject([
      { occ: 'next', look: 'later' },
    ]);
    expect(draw([night('last', 'now'), night('next', 'later')], 400).arcs).toMatchObject([
      { occ: 'last', look: 'now' },
    ]);
  });

  it('lets what is now lie over its neighbours, its symbol in the card', () => {
    const before = anItem({
      occ: 'a',
      from: '11:00',
      until: '12:00',
      state: 'later',
      reminder: { id: 'a' },
    });
    const now = anItem({ occ: 'b' });
    const plate = draw([now, before], NOON);
    expect(plate.arcs.map((arc) => arc.occ)).toEqual(['a', 'b']);
    expect(plate.symbols.map((symbol) => symbol.occ)).toEqual(['a']);
  });

  it('lays a medicine as a bead, also when it was given a length', () => {
    const plate = draw([medicine('20:00', { until: '20:15', reminder: { minutes: 15 } })], NOON);
    expect(plate.arcs).toEqual([]);
    expect(plate.beads).toHaveLength(1);
  });

  it('never hides a medicine that waits under one that is done', () => {
    const done = medicine('08:00', { state: 'done' });
    const waiting = medicine('08:10', { state: 'open' });
    const plate = draw([waiting, done], NOON);
    expect(plate.beads.map((bead) => bead.look)).toEqual(['done', 'open']);
  });

  it('lets no medicine cover the clock of a meal that waits', () => {
    const meal = anItem({ from: '12:00', until: '12:30', state: 'open' });
    const distance = (plate: ReturnType<typeof draw>): number => {
      const [clock, bead] = [plate.arcs[0]?.middle, plate.beads[0]?.at];
      return Math.hypot((clock?.x ?? 0) - (bead?.x ?? 0), (clock?.y ?? 0) - (bead?.y ?? 0));
    };
    for (const from of ['11:50', '12:00', '12:15', '12:30'])
      expect(distance(draw([meal, medicine(from)], 800))).toBeGreaterThan(BEAD + 12);
    expect(draw([meal, medicine('14:00')], 800).arcs[0]?.middle).toEqual(
      draw([meal], 800).arcs[0]?.middle,
    );
  });

  it('counts two medicines of one time in one bead, as loud as the louder', () => {
    const plate = draw(
      [
        medicine('20:00', { occ: 'x' }),
        medicine('20:00', { occ: 'y', state: 'now', reminder: { id: 'other' } }),
      ],
      NOON,
    );
    expect(plate.beads).toMatchObject([{ occs: ['x', 'y'], look: 'now' }]);
  });

  it('tints only what is left of the day, each part in its own tint', () => {
    expect(draw([], NOON).tints.map((tint) => tint.part)).toEqual(['day', 'evening', 'night']);
    expect(draw([], 23 * 60 + 40).tints.map((tint) => tint.part)).toEqual(['night']);
    expect(draw([], 7 * 60).tints[0]?.part).toBe('morning');
  });

  it('stands a neutral picture where neither symbol nor category is known', () => {
    const odd = anItem({
      state: 'later',
      start: at('15:00'),
      reminder: { symbol: '', category: 'séance' },
    });
    expect(draw([odd], NOON).symbols[0]?.symbol).toBe('séance');
  });
});
