import { describe, expect, it } from 'vitest';

import type { Account } from './model';
import { merged, nextStep, offered, rolesFor, stateOf, stepsDone, type People } from './rules';

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
const UNIT = {
  id: 'u',
  name: 'Björkbacken',
  zone: 'Europe/Stockholm',
  language: 'sv',
  archived_at: null,
};

describe('an empty home', () => {
  it('begins with a unit: the administrator alone helps nobody', () => {
    expect(nextStep(stepsDone(EMPTY, false))).toBe('unit');
  });

  it('goes on to people when there is a unit', () => {
    expect(nextStep(stepsDone({ ...EMPTY, units: [UNIT] }, false))).toBe('people');
  });

  it('does not count what is archived or disabled', () => {
    const units = [{ ...UNIT, archived_at: '2026-01-01T00:00:00Z' }];
    const accounts = [anAccount({ disabled: true })];
    expect(stepsDone({ ...EMPTY, units, accounts }, false)).toMatchObject({
      unit: false,
      people: false,
    });
  });

  it('stands when a tablet is connected', () => {
    const residents = [
      {
        space: 's',
        account: 'a',
        name: 'Elsa',
        flat: '1',
        unit: 'u',
        language: 'sv',
        archived_at: null,
      },
    ];
    const people = { ...EMPTY, units: [UNIT], accounts: [anAccount()], residents };
    expect(nextStep(stepsDone(people, false))).toBe('tablet');
    expect(nextStep(stepsDone(people, true))).toBeNull();
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
    expect(rolesFor('manager')).not.toContain('manager');
    expect(rolesFor('admin')).toContain('manager');
  });
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
