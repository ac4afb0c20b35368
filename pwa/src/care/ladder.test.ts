import { describe, expect, it } from 'vitest';

import type { Alert } from '../plan/model';
import { alertSteps, ladderOf } from './ladder';

const MEAL = {
  category: 'meal',
  criticality: 'important' as const,
  minutes: 30,
  grace: null,
  checkable: true,
  ring: { start: true, again: true, before: null },
};

function anAlert(change: Partial<Alert> = {}): Alert {
  return {
    id: 'a',
    kind: 'late',
    occ: 'r@2026-11-27T12:00',
    reminder: 'r',
    about: null,
    at: 0,
    step: { n: 1, of: 3, nextAt: null },
    taken: null,
    closed: null,
    ...change,
  };
}

describe('the ladder', () => {
  it('of a meal rings three times and then widens round the end of its hour', () => {
    expect(ladderOf(MEAL)).toEqual([
      { who: 'device', after: [0] },
      { who: 'again', after: [5, 10] },
      { who: 'primary', after: [45] },
      { who: 'unit', after: [60] },
      { who: 'all', after: [90] },
    ]);
  });

  it('of a critical medicine reaches everybody within half an hour', () => {
    const medicine = {
      ...MEAL,
      category: 'medication',
      criticality: 'critical' as const,
      minutes: 0,
    };
    expect(ladderOf(medicine).map(({ after }) => after.at(-1))).toEqual([0, 5, 10, 15, 30]);
  });

  it('never tells a supporter before half the grace is over', () => {
    expect(ladderOf({ ...MEAL, grace: 20 })[2]).toEqual({ who: 'primary', after: [10] });
  });

  it('of what needs no answer is one ring', () => {
    expect(ladderOf({ ...MEAL, checkable: false })).toEqual([{ who: 'device', after: [0] }]);
  });

  it('does not show rings that are off', () => {
    const steps = ladderOf({ ...MEAL, ring: { start: false, again: false, before: null } });
    expect(steps.map(({ who }) => who)).toEqual(['primary', 'unit', 'all']);
  });
});

describe('an alert on its ladder', () => {
  it('has the rings behind it when the first supporter is told', () => {
    const states = alertSteps(anAlert(), MEAL, 0).map(({ who, state }) => `${who} ${state}`);
    expect(states).toEqual([
      'device past',
      'again past',
      'primary current',
      'unit next',
      'all next',
    ]);
  });

  it('of a call for help goes to the unit at once', () => {
    const [first] = alertSteps(anAlert({ kind: 'help', at: 1000 }), null, 0);
    expect(first).toEqual({ who: 'unit', at: 1000, state: 'current' });
  });
});
