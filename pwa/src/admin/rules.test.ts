import { describe, expect, it } from 'vitest';

import type { Account, Relation } from './model';
import {
  merged,
  nextStep,
  firstPermissions,
  grounds,
  isOnlyHere,
  lookAt,
  managesAll,
  offered,
  rolesFor,
  stateOf,
  stepsDone,
  switched,
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
    has_second_factor: false,
    linked: false,
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

it('medicines are decided about by nurses, and in a family by relatives', () => {
  expect(offered('nurse', 'unit', 'care_record')).toContain('medication.edit');
  expect(offered('relative', 'resident', 'family')).toContain('medication.edit');
  expect(offered('relative', 'resident', 'care_record')).not.toContain('medication.edit');
  expect(offered('caregiver', 'unit', 'care_record')).not.toContain('medication.edit');
  expect(firstPermissions('caregiver', 'care_record')).toContain('medication.sign');
  expect(firstPermissions('relative', 'care_record')).toEqual(['plan.view']);
});

it('whoever signs for doses sees them, and who does not see them does not sign', () => {
  expect(switched(['plan.view'], 'medication.sign', true)).toEqual([
    'plan.view',
    'medication.view',
    'medication.sign',
  ]);
  expect(
    switched(['plan.view', 'medication.view', 'medication.edit'], 'medication.view', false),
  ).toEqual(['plan.view']);
  expect(switched(['plan.view', 'plan.edit'], 'plan.edit', false)).toEqual(['plan.view']);
});

it('a link to this computer itself is known to lead nowhere from another', () => {
  expect(isOnlyHere('http://127.0.0.1:8480/#/inbjudan/x')).toBe(true);
  expect(isOnlyHere('http://localhost:8480/')).toBe(true);
  expect(isOnlyHere('https://mos.example.se/')).toBe(false);
  expect(isOnlyHere('https://192.168.1.20:8480/')).toBe(false);
});

it('today is looked at as it is now, another day at its noon', () => {
  expect(lookAt('', NOW)).toBeNull();
  expect(lookAt(new Date(NOW).toLocaleDateString('sv-SE'), NOW)).toBeNull();
  expect(lookAt('2026-12-24', NOW)).toBe(new Date('2026-12-24T12:00:00').toISOString());
});

it('what somebody sees rests on the relations of that day, to the resident or to their unit', () => {
  const to = (change: Partial<Relation>): Relation => ({
    ...{ id: 'r', account: 'anna', space: null, unit: null, permissions: [], is_primary: false },
    ...{ consent: '', valid_from: '2026-01-01T00:00:00Z', valid_to: null, ...change },
  });
  const ended = to({ id: 'ended', space: ELSA.space, valid_to: '2026-06-01T00:00:00Z' });
  const all = [
    ended,
    to({ id: 'unit', unit: ELSA.unit }),
    to({ id: 'other', account: 'bo', space: ELSA.space }),
    to({ id: 'elsewhere', unit: 'another' }),
    to({ id: 'later', space: ELSA.space, valid_from: '2027-01-01T00:00:00Z' }),
  ];
  expect(grounds(all, 'anna', ELSA, NOW).map(({ id }) => id)).toEqual(['unit']);
  expect(
    grounds(all, 'anna', ELSA, Date.parse('2026-05-01T00:00:00Z')).map(({ id }) => id),
  ).toEqual(['unit', 'ended']);
});

it('a permission that the screen does not offer survives a change', () => {
  expect(merged(['plan.view', 'meals.view'], ['plan.edit'], ['plan.view', 'plan.edit'])).toEqual([
    'meals.view',
    'plan.edit',
  ]);
});

it('the whole organisation is an administrator’s, and in a family whoever manages each unit for good', () => {
  const units = ['home', 'annex'].map((id) => ({ id })) as unknown as People['units'];
  const manages = (unit: string, change: Partial<Relation> = {}): Relation =>
    ({
      ...{ account: 'eva', unit, permissions: ['care.manage'] },
      ...{ valid_from: '2026-01-01T00:00:00Z', valid_to: null },
      ...change,
    }) as Relation;
  const asks = (role: 'admin' | 'manager' | 'relative', relations: Relation[], id = 'eva') =>
    managesAll(
      { id, role },
      role === 'relative' ? 'family' : 'care_record',
      { units, relations },
      NOW,
    );
  const both = [manages('home'), manages('annex')];
  expect(asks('admin', [])).toBe(true);
  expect(asks('manager', both)).toBe(false);
  expect(asks('relative', both)).toBe(true);
  expect(asks('relative', both, 'sara')).toBe(false);
  expect(asks('relative', [manages('home')])).toBe(false);
  const ends = { valid_to: '2027-01-01T00:00:00Z' };
  expect(asks('relative', [manages('home'), manages('annex', ends)])).toBe(false);
});
