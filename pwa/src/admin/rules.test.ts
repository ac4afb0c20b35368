import { describe, expect, it } from 'vitest';

import type { Account } from './model';
import {
  merged,
  nextStep,
  offered,
  rolesFor,
  stateOf,
  stepsDone,
  STEPS_OF,
  type Known,
  type People,
  type Step,
} from './rules';

const NOW = Date.parse('2026-11-27T11:14:00Z');

function anAccount(change: Partial<Account> = {}): Account {
  return {
    id: 'sara',
    role: 'caregiver',
    name: 'Sara Nyström',
    email: 'sara@bjorkbacken.se',
    language: 'sv',
    disabled: false,
    has_password: true,
    invited_until: null,
    units: [],
    within: true,
    ...change,
  };
}

const EMPTY: People = {
  units: [],
  accounts: [anAccount({ id: 'admin', role: 'admin' })],
  residents: [],
  relations: [],
};
const ELSA = {
  space: 's',
  account: 'a',
  name: 'Elsa',
  flat: '1',
  unit: 'u',
  language: 'sv',
  archived_at: null,
};

/** What is known of a home besides its people, for whoever asks. */
function known(change: Partial<Known> = {}): Known {
  return { me: 'admin', connected: false, planned: false, now: NOW, ...change };
}
const UNIT = {
  id: 'u',
  name: 'Björkbacken',
  zone: 'Europe/Stockholm',
  language: 'sv',
  archived_at: null,
};

describe('an empty home', () => {
  const first = (people: People, more: Partial<Known> = {}): Step | null =>
    nextStep(STEPS_OF.care_record, stepsDone(people, known(more)));

  it('begins with a unit: the administrator alone helps nobody', () => {
    expect(first(EMPTY)).toBe('unit');
  });

  it('goes on to people when there is a unit', () => {
    expect(first({ ...EMPTY, units: [UNIT] })).toBe('people');
  });

  it('does not count what is archived or disabled', () => {
    const units = [{ ...UNIT, archived_at: '2026-01-01T00:00:00Z' }];
    const accounts = [anAccount({ disabled: true })];
    const residents = [{ ...ELSA, archived_at: '2026-01-01T00:00:00Z' }];
    expect(stepsDone({ ...EMPTY, units, accounts, residents }, known())).toMatchObject({
      unit: false,
      people: false,
      resident: false,
    });
  });

  it('counts nobody as invited who was not, or whose link has ended', () => {
    const asked = { has_password: false, invited_until: '2026-11-28T00:00:00Z' };
    const late = { has_password: false, invited_until: '2026-11-26T00:00:00Z' };
    const done = (account: Partial<Account>): boolean =>
      stepsDone({ ...EMPTY, accounts: [anAccount(account)] }, known()).people;
    expect(done(asked)).toBe(true);
    expect(done(late)).toBe(false);
    expect(done({ has_password: false })).toBe(false);
  });

  it('stands when a tablet is connected', () => {
    const people = { ...EMPTY, units: [UNIT], accounts: [anAccount()], residents: [ELSA] };
    expect(first(people)).toBe('tablet');
    expect(first(people, { connected: true })).toBeNull();
  });
});

describe('a family’s empty home', () => {
  const founder = anAccount({ id: 'anna', role: 'relative' });
  const claimed: People = { ...EMPTY, units: [UNIT], accounts: [founder] };
  const first = (people: People, more: Partial<Known> = {}): Step | null =>
    nextStep(STEPS_OF.family, stepsDone(people, known({ me: 'anna', ...more })));

  it('has no step for units: the household is there', () => {
    expect(STEPS_OF.family).not.toContain('unit');
  });

  it('leads from the person to the plan, the tablet and the others', () => {
    expect(first(claimed)).toBe('resident');
    const elsa = { ...claimed, residents: [ELSA] };
    expect(first(elsa)).toBe('plan');
    expect(first(elsa, { planned: true })).toBe('tablet');
    expect(first(elsa, { planned: true, connected: true })).toBe('people');
    const two = { ...elsa, accounts: [founder, anAccount({ id: 'bo', role: 'relative' })] };
    expect(first(two, { planned: true, connected: true })).toBeNull();
  });

  it('is not helped by whoever set it up and is alone', () => {
    expect(stepsDone(claimed, known({ me: 'anna' })).people).toBe(false);
  });
});

describe('an account', () => {
  it.each([
    [{}, 'active'],
    [{ has_password: false }, 'new'],
    [{ has_password: false, invited_until: '2026-12-01T00:00:00Z' }, 'invited'],
    [{ has_password: false, invited_until: '2026-11-01T00:00:00Z' }, 'expired'],
    [{ disabled: true, has_password: true }, 'disabled'],
  ] as [Partial<Account>, string][])('%o is %s', (change, state) => {
    expect(stateOf(anAccount(change), NOW)).toBe(state);
  });

  it('of a manager is given by an administrator only', () => {
    expect(rolesFor('manager', 'care_record')).not.toContain('manager');
    expect(rolesFor('admin', 'care_record')).toContain('manager');
  });
});

it('in a family most who are invited are relatives', () => {
  expect(rolesFor('relative', 'family')[0]).toBe('relative');
  expect(rolesFor('admin', 'care_record')[0]).toBe('caregiver');
});

it('to manage is offered to managers, and in a family to relatives, for whole units', () => {
  expect(offered('relative', 'unit', 'family')).toContain('care.manage');
  expect(offered('manager', 'unit', 'care_record')).toContain('care.manage');
  expect(offered('relative', 'unit', 'care_record')).not.toContain('care.manage');
  expect(offered('relative', 'resident', 'family')).not.toContain('care.manage');
  expect(offered('caregiver', 'unit', 'family')).not.toContain('care.manage');
});

it('a permission that the screen does not offer survives a change', () => {
  expect(
    merged(['plan.view', 'medication.view'], ['plan.edit'], ['plan.view', 'plan.edit']),
  ).toEqual(['medication.view', 'plan.edit']);
});
