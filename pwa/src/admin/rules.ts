/** Decisions of the administrator's screens. Pure: the home and the moment are arguments. */
import type { Role, Session } from '../app/session';
import type { Permission } from '../care/permissions';
import type { Account, Relation, ResidentEntry, Unit } from './model';

export type Policy = Session['organisation']['policy'];

export interface People {
  units: readonly Unit[];
  accounts: readonly Account[];
  residents: readonly ResidentEntry[];
  relations: readonly Relation[];
}

export type Step = 'unit' | 'people' | 'resident' | 'plan' | 'tablet';

/** The way from an empty home to a resident's ringing tablet. Who manages a care provider sees no plan. */
export const STEPS_OF: Record<Policy, readonly Step[]> = {
  care_record: ['unit', 'people', 'resident', 'tablet'],
  family: ['resident', 'plan', 'tablet', 'people'],
};

/** What the lists do not say. */
export interface Known {
  /** Whoever asks: alone they are nobody's help. */
  me: string;
  /** Somebody's tablet is connected. */
  connected: boolean;
  /** Somebody has something planned, as far as whoever asks may see it. */
  planned: boolean;
  now: number;
}

/** What is done of the first steps. */
export function stepsDone(people: People, known: Known): Record<Step, boolean> {
  const { me, connected, planned, now } = known;
  const helps = (account: Account): boolean =>
    account.id !== me &&
    isSupporter(account.role) &&
    ['active', 'invited'].includes(stateOf(account, now));
  return {
    unit: people.units.some(({ archived_at }) => archived_at === null),
    people: people.accounts.some(helps),
    resident: people.residents.some(({ archived_at }) => archived_at === null),
    plan: planned,
    tablet: connected,
  };
}

/** The first step that is not done; null when the home stands. */
export function nextStep(steps: readonly Step[], done: Record<Step, boolean>): Step | null {
  return steps.find((step) => !done[step]) ?? null;
}

export function isSupporter(role: Role): boolean {
  return role === 'caregiver' || role === 'nurse' || role === 'relative' || role === 'manager';
}

/** Roles that somebody may give to others, the commonest first. */
export function rolesFor(role: Role, policy: Policy): Role[] {
  if (policy === 'family') return ['relative', 'caregiver', 'nurse'];
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
