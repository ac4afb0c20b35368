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

/** Whether somebody manages the whole organisation: an administrator, and in a family a relative who manages each of its
 *  units until further notice. The server decides; this spares a question that it would refuse. */
export function managesAll(
  { id, role }: Pick<Session['account'], 'id' | 'role'>,
  policy: Policy,
  { units, relations }: Pick<People, 'units' | 'relations'>,
  now: number,
): boolean {
  if (role === 'admin') return true;
  if (role !== 'relative' || policy !== 'family' || units.length === 0) return false;
  const managed = relations
    .filter(({ account, permissions }) => account === id && permissions.includes('care.manage'))
    .filter(({ valid_from, valid_to }) => Date.parse(valid_from) <= now && valid_to === null)
    .map(({ unit }) => unit);
  return units.every((unit) => managed.includes(unit.id));
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
  if (account.has_password || account.linked) return 'active';
  if (account.invited_until === null) return 'new';
  return Date.parse(account.invited_until) > now ? 'invited' : 'expired';
}

/** Permissions that are offered one by one for a relation: those that do something in this release. */
export function offered(role: Role, of: 'resident' | 'unit', policy: Policy): Permission[] {
  const usual: Permission[] = ['plan.view', 'outcome.record', 'alert.take', 'plan.edit'];
  usual.push('medication.view');
  // In a care record what somebody takes is a nurse's to decide; signing for it is the staff's.
  if (role === 'nurse' || (role === 'relative' && policy === 'family'))
    usual.push('medication.edit');
  if (role === 'nurse' || role === 'caregiver') usual.push('medication.sign');
  // Staff read who has seen what by managing, and others not at all.
  if (role === 'relative') usual.push('log.view');
  const manages = role === 'manager' || (role === 'relative' && policy === 'family');
  return manages && of === 'unit' ? [...usual, 'care.manage'] : usual;
}

/** What a new relation begins with. A relative sees; those who work there help. */
export function firstPermissions(role: Role, policy: Policy): Permission[] {
  return role === 'relative' ? ['plan.view'] : offered(role, 'resident', policy);
}

/** What is chosen once `permission` is switched: whoever may do something with medicines sees them. */
export function switched(
  chosen: readonly string[],
  permission: Permission,
  on: boolean,
): readonly string[] {
  const others = chosen.filter((each) => each !== permission);
  const isMedication = permission.startsWith('medication.');
  if (on) {
    const seen = isMedication && permission !== 'medication.view';
    return [...new Set([...others, ...(seen ? ['medication.view'] : []), permission])];
  }
  return permission === 'medication.view'
    ? others.filter((each) => !each.startsWith('medication.'))
    : others;
}

/** Why somebody may do what they may for a resident at an instant, and until when; the lasting ones first. */
export function grounds(
  relations: readonly Relation[],
  account: string,
  resident: ResidentEntry,
  at: number,
): Relation[] {
  return relations
    .filter((each) => each.account === account)
    .filter(({ space, unit }) => space === resident.space || unit === resident.unit)
    .filter(({ valid_from, valid_to }) => {
      return Date.parse(valid_from) <= at && (valid_to === null || Date.parse(valid_to) > at);
    })
    .sort((a, b) => (b.valid_to ?? '9').localeCompare(a.valid_to ?? '9'));
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

/** The instant at which a chosen day is looked at, its noon here; null for now: no day, or today. */
export function lookAt(day: string, now: number): string | null {
  // Swedes write a day as ISO 8601 does.
  const today = new Date(now).toLocaleDateString('sv-SE');
  return day === '' || day === today ? null : new Date(`${day}T12:00:00`).toISOString();
}

/** Whether an address is that of the computer on which it is opened: no other device finds MOS there. */
export function isOnlyHere(url: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname);
}
