import { describe, expect, it } from 'vitest';

import vectors from '../../../spec/vectors/ladders.json';
import type { Alert, Criticality } from '../plan/model';
import {
  alertSteps,
  ladderOf,
  minutesFromStart,
  readLadder,
  readStep,
  stepsFor,
  type Ladder,
} from './ladder';

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
    unwilling: false,
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
    expect(ladderOf(MEAL, [])).toEqual([
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
    expect(ladderOf(medicine, []).map(({ after }) => after.at(-1))).toEqual([0, 5, 10, 15, 30]);
  });

  it('never tells a supporter before half the grace is over', () => {
    expect(ladderOf({ ...MEAL, grace: 20 }, [])[2]).toEqual({ who: 'primary', after: [10] });
  });

  it('of what needs no answer is one ring', () => {
    expect(ladderOf({ ...MEAL, checkable: false }, [])).toEqual([{ who: 'device', after: [0] }]);
  });

  it('does not show rings that are off', () => {
    const steps = ladderOf({ ...MEAL, ring: { start: false, again: false, before: null } }, []);
    expect(steps.map(({ who }) => who)).toEqual(['primary', 'unit', 'all']);
  });
});

describe('the ladder that holds', () => {
  it.each(vectors)('$name', ({ ladders, category, criticality, grace, steps }) => {
    const known: Ladder[] = ladders.map((ladder) => ({
      category: ladder.category,
      criticality: ladder.criticality as Criticality | null,
      steps: ladder.steps.map(readStep),
    }));
    const found = stepsFor(known, { category, criticality: criticality as Criticality });
    expect(found.map((step) => [step.tell, minutesFromStart(step, grace)])).toEqual(steps);
  });

  it('is read from its record, a step of another release as one that tells everybody', () => {
    const doc = {
      for: { category: 'meal', criticality: null },
      steps: [
        { tell: 'neighbours', after: 10 },
        { tell: { account: 'a' }, after: 0, by: ['sms', 'pigeon'] },
      ],
    };
    const row = { coll: 'ladder', rec: 'l', seq: 1, pending: false, doc };
    expect(readLadder(row)).toEqual({
      category: 'meal',
      criticality: null,
      steps: [
        { tell: { account: 'a' }, after: 0, by: ['sms'] },
        { tell: 'all', after: 10 },
      ],
    });
    expect(readLadder({ ...row, doc: { ...doc, deleted: true } })).toBeNull();
  });
});

describe('an alert on its ladder', () => {
  it('follows the ladder that the resident has', () => {
    const own: Ladder = {
      category: 'meal',
      criticality: null,
      steps: [
        { tell: 'on_call', after: 0 },
        { tell: 'all', after: 10 },
      ],
    };
    const late = anAlert({ step: { n: 2, of: 2, nextAt: null } });
    const states = alertSteps(late, MEAL, { start: 0, ladders: [own] });
    expect(states.map(({ who, state }) => `${JSON.stringify(who)} ${state}`)).toEqual([
      '"device" past',
      '"again" past',
      '"on_call" past',
      '"all" current',
    ]);
  });

  it('says nothing of a ladder that the server alone knows', () => {
    const late = anAlert({ step: { n: 1, of: 4, nextAt: null } });
    expect(alertSteps(late, MEAL, { start: 0, ladders: [] })).toEqual([]);
  });

  it('has the rings behind it when the first supporter is told', () => {
    const states = alertSteps(anAlert(), MEAL, { start: 0, ladders: [] }).map(
      ({ who, state }) => `${JSON.stringify(who)} ${state}`,
    );
    expect(states).toEqual([
      '"device" past',
      '"again" past',
      '"primary" current',
      '"unit" next',
      '"all" next',
    ]);
  });

  it('of a call for help goes to the unit at once', () => {
    const [first] = alertSteps(anAlert({ kind: 'help', at: 1000 }), null, {
      start: 0,
      ladders: [],
    });
    expect(first).toEqual({ who: 'unit', at: 1000, state: 'current' });
  });
});
