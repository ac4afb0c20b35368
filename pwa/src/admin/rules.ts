/** Decisions of the administrator's screens. Pure: the home and the moment are arguments. */
import type { Role, Session } from '../app/session';
import type { Permission } from '../care/permissions';
import type { Account, Relation, ResidentEntry, Unit } from './model';

type Policy = Session['organisation']['policy'];

export interface People {
  units: readonly Unit[];
  accounts: readonly Account[];
  residents: readonly ResidentEntry[];
  relations: readonly Relation[];
}

/** The way from an empty home to a resident's ringing tablet. */
export const STEPS = ['unit', 'people', 'resident', 'tablet'] as const;
export type Step = (typeof STEPS)[number];

/** What is done of the first steps. Whether a tablet was ever connected is told by the residents' devices. */
export function stepsDone(people: People, connected: boolean): Record<Step, boolean> {
  return {
    unit: people.units.some(({ archived_at }) => archived_at === null),
    people: people.accounts.some(({ role, disabled }) => isSupporter(role) && !disabled),
    resident: people.residents.some(({ archived_at }) => archived_at === null),
    tablet: connected,
  };
}

/** The first step that is not done; null when the home stands. */
export function nextStep(done: Record<Step, boolean>): Step | null {
  return STEPS.find((step) => !done[step]) ?? null;
}

export function isSupporter(role: Role): boolean {
  return role === 'caregiver' || role === 'nurse' || role === 'relative' || role === 'manager';
}

/** Roles that somebody may give to others. */
export function rolesFor(role: Role): Role[] {
  return role === 'admin'
    ? ['caregiver', 'nurse', 'relative', 'manager', 'admin', 'auditor']
    : ['caregiver', 'nurse', 'relative'];
}

export type AccountState = 'active' | 'invited' | 'expired' | 'new' | 'disabled';

export function stateOf(account: Account, now: number): AccountState {
  if (account.disabled) return 'disabled';
  if (account.has_password) return 'active';
  if (account.invited_until === null) return 'new';
  return Date.parse(account.invited_until) > now ? 'invited' : 'expired';
}

/** Permissions that are offered one by one for a relation: those that do something in this release. */
export function offered(role: Role, of: 'resident' | 'unit', policy: Policy): Permission[] {
  const usual: Permission[] = ['plan.view', 'outcome.record', 'alert.take', 'plan.edit'];
  const manages = role === 'manager' || (role === 'relative' && policy === 'family');
  return manages && of === 'unit' ? [...usual, 'care.manage'] : usual;
}

/** What a new relation begins with. A relative sees; those who work there help. */
export function firstPermissions(role: Role): Permission[] {
  return role === 'relative'
    ? ['plan.view']
    : ['plan.view', 'outcome.record', 'alert.take', 'plan.edit'];
}

/** What is chosen on the screen, and what the relation holds beyond it: a word that is not offered is kept. */
export function merged(
  before: readonly string[],
  chosen: readonly string[],
  shown: readonly string[],
): string[] {
  return [...before.filter((word) => !shown.includes(word)), ...chosen];
}

/** The instant at which a relation ends, given the last day that it holds; null: until further notice. */
export function endOfDay(day: string): string | null {
  return day === '' ? null : new Date(`${day}T23:59:59`).toISOString();
}
