import { describe, expect, it } from 'vitest';

import {
  callable,
  cellOf,
  following,
  gaps,
  gapsOfDay,
  movedUp,
  running,
  type Rota,
  type Turn,
} from './rota';

const ZONE = 'Europe/Stockholm';
const at = (wall: string): number => Date.parse(`${wall}:00+01:00`);
const UNTIL = at('2026-12-11T12:00');

function turn(from: string, to: string, account = 'ingrid'): Turn {
  return {
    rota: 'night',
    name: 'Natt',
    unit: 'home',
    zone: ZONE,
    account,
    from: `${from}:00+01:00`,
    to: `${to}:00+01:00`,
  };
}
function rota(changes: Rota['changes'] = []): Rota {
  return {
    id: 'night',
    unit: 'home',
    zone: ZONE,
    name: 'Natt',
    weekdays: ['fri', 'sat'],
    from: '22:00',
    to: '07:00',
    holidays: 'usual',
    turn: 'day',
    accounts: ['ingrid'],
    valid_from: '2026-11-01',
    valid_to: null,
    changes,
  };
}
const friday = turn('2026-11-27T22:00', '2026-11-28T07:00');
const saturday = turn('2026-11-28T22:00', '2026-11-29T07:00', 'henrik');

describe('who has duty', () => {
  it('is known to the minute that a turn ends', () => {
    expect(running([friday, saturday], at('2026-11-28T06:59'))).toEqual([friday]);
    expect(running([friday, saturday], at('2026-11-28T07:00'))).toEqual([]);
    expect(following([friday, saturday], at('2026-11-28T06:59'))).toEqual([saturday]);
    expect(following([friday, saturday], at('2026-11-28T22:00'))).toEqual([]);
  });

  it('stands on the day that the turn begins on, in the unit’s zone', () => {
    expect(cellOf(rota(), [friday], '2026-11-27')).toEqual({
      kind: 'turn',
      turn: friday,
      changed: false,
    });
    expect(cellOf(rota(), [friday], '2026-11-28')).toEqual({ kind: 'none' });
    expect(cellOf(rota([{ day: '2026-11-28', account: null }]), [], '2026-11-28')).toEqual({
      kind: 'nobody',
    });
  });
});

describe('a gap', () => {
  it('lies between turns, and turns that overlap leave none', () => {
    const early = turn('2026-11-28T06:00', '2026-11-28T23:00', 'henrik');

    expect(gaps([friday, saturday], at('2026-11-28T00:00'), at('2026-11-29T07:00'))).toEqual([
      { from: at('2026-11-28T07:00'), to: at('2026-11-28T22:00') },
    ]);
    expect(gaps([friday, early, saturday], at('2026-11-28T00:00'), at('2026-11-29T07:00'))).toEqual(
      [],
    );
  });

  it('over midnight is told once, on the day that it begins on', () => {
    const night = [{ from: at('2026-11-28T22:00'), to: at('2026-11-29T07:00') }];

    expect(gapsOfDay(night, '2026-11-28', ZONE, UNTIL)).toEqual([{ from: '22:00', to: '07:00' }]);
    expect(gapsOfDay(night, '2026-11-29', ZONE, UNTIL)).toEqual([]);
  });

  it('longer than a day is told on each day that it touches', () => {
    const long = [{ from: at('2026-11-27T16:00'), to: at('2026-11-29T07:00') }];
    const days = ['2026-11-27', '2026-11-28', '2026-11-29', '2026-11-30'];

    expect(days.map((day) => gapsOfDay(long, day, ZONE, UNTIL))).toEqual([
      [{ from: '16:00', to: null }],
      [{ from: null, to: null }],
      [{ from: null, to: '07:00' }],
      [],
    ]);
  });

  it('that goes on further than turns are known has no end', () => {
    const open = [{ from: at('2026-12-11T07:00'), to: UNTIL }];

    expect(gapsOfDay(open, '2026-12-11', ZONE, UNTIL)).toEqual([{ from: '07:00', to: null }]);
  });
});

describe('a rota', () => {
  it('offers only those who may take the alerts of the whole unit now', () => {
    const now = at('2026-11-28T12:00');
    const account = {
      role: 'nurse',
      email: null,
      language: 'sv',
      has_password: true,
      has_second_factor: false,
      linked: false,
    } as const;
    const accounts = ['whole', 'one', 'sees', 'over', 'off'].map((id) => ({
      ...account,
      id,
      name: id,
      invited_until: null,
      units: [],
      within: true,
      disabled: id === 'off',
    }));
    const relation = {
      space: null,
      unit: 'home',
      permissions: ['alert.take'],
      is_primary: false,
      consent: '',
      valid_from: '2026-01-01T00:00:00Z',
      valid_to: null,
    };
    const relations = [
      { ...relation, id: '1', account: 'whole' },
      { ...relation, id: '2', account: 'one', unit: null, space: 'elsa' },
      { ...relation, id: '3', account: 'sees', permissions: ['plan.view'] },
      { ...relation, id: '4', account: 'over', valid_to: '2026-11-28T10:00:00Z' },
      { ...relation, id: '5', account: 'off' },
    ];

    expect(callable(accounts, relations, 'home', now).map(({ id }) => id)).toEqual(['whole']);
  });

  it('lets somebody come earlier in the order', () => {
    expect(movedUp(['a', 'b', 'c'], 2)).toEqual(['a', 'c', 'b']);
    expect(movedUp(['a', 'b', 'c'], 0)).toEqual(['a', 'b', 'c']);
  });
});
