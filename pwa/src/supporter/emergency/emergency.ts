/** Emergency access: who may open a resident who is not theirs, and what the server says of it. */
import { seesDays, type Session } from '../../app/session';

export type Cause = 'urgent' | 'cover' | 'asked' | 'other';
export const CAUSES: readonly Cause[] = ['urgent', 'cover', 'asked', 'other'];

/** Less says nothing to whoever looks at it later; the server asks for as much. */
export const REASON_LEAST = 10;

export interface Choice {
  readonly id: string;
  readonly name: string;
}

/** What somebody has open themselves; `at` and `until` are instants. */
export interface Opened {
  readonly id: string;
  readonly space: string;
  readonly resident: string;
  readonly unit: string;
  readonly at: string;
  readonly until: string;
}

/** Caregivers and nurses of a care provider, who help somebody there: as the server has it. */
export function mayOpen(session: Session | null): boolean {
  return (
    session !== null &&
    session.organisation.policy === 'care_record' &&
    (session.account.role === 'caregiver' || session.account.role === 'nurse') &&
    seesDays(session)
  );
}
