/** Delegations as the server tells of them, and in which part of the list each stands. Pure. */
import type { Session } from '../../app/session';
import { TASKS } from '../../medication/order';
import { addDays } from '../../plan/time';

export const ANY_TASK = [...TASKS, 'other'] as const;

export interface Delegation {
  readonly id: string;
  readonly account: string;
  readonly person: string;
  readonly giver: string;
  readonly task: string;
  readonly detail: string;
  readonly units: readonly string[];
  readonly unit_names: readonly string[];
  /** Of residents' days. */
  readonly spaces: readonly string[];
  readonly resident_names: readonly string[];
  /** Days, both included. */
  readonly first: string;
  readonly last: string;
  /** The instants of that. */
  readonly since: string;
  readonly until: string;
  readonly checked_on: string;
  readonly checked_how: string;
  readonly given_at: string;
  readonly renewed: boolean;
  readonly ended_at: string | null;
  /** Empty: it ended with the person's role or permission. */
  readonly ended_by: string;
  readonly ended_why: string;
}

export interface Choice {
  readonly id: string;
  readonly name: string;
}
export interface Choices {
  readonly people: readonly Choice[];
  readonly units: readonly Choice[];
  readonly residents: readonly Choice[];
}

export type Part = 'soon' | 'valid' | 'over';
export const PARTS: readonly Part[] = ['soon', 'valid', 'over'];

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

/** What ends within a month is soon over, unless it is renewed. */
export function partOf(delegation: Delegation, now: number): Part {
  const until = Date.parse(delegation.until);
  if (delegation.ended_at !== null || until <= now) return 'over';
  return until - now <= SOON_DAYS * DAY_MS && !delegation.renewed ? 'soon' : 'valid';
}

/** How many days are left, today among them. */
export function daysLeft({ until }: Pick<Delegation, 'until'>, now: number): number {
  return Math.ceil((Date.parse(until) - now) / DAY_MS);
}

/** The last day that one may have which begins on `first`: a year, and no day more. */
export function lastDayAtMost(first: string): string {
  const again = `${Number(first.slice(0, 4)) + 1}${first.slice(4)}`;
  // What began on 29 February ends on the 28th.
  return first.endsWith('-02-29') ? again.replace('-29', '-28') : addDays(again, -1);
}

/** Nurses of a care provider, where they decide about medication: as the server has it. */
export function mayDelegate(session: Session | null): boolean {
  return (
    session !== null &&
    session.organisation.policy === 'care_record' &&
    session.account.role === 'nurse' &&
    session.residents.some(({ permissions }) => permissions.includes('medication.edit'))
  );
}

/** Whom nurses delegate to. */
export function mayBeDelegated(session: Session | null): boolean {
  return session?.organisation.policy === 'care_record' && session.account.role === 'caregiver';
}
