/** Words of who is signed in, as /api/v1/session answers. */

import type { PinPerson } from './pins';

export type Role =
  'resident' | 'relative' | 'caregiver' | 'nurse' | 'manager' | 'admin' | 'auditor';

export interface Session {
  readonly account: {
    readonly id: string;
    readonly name: string;
    readonly role: Role;
    readonly language: string;
  };
  readonly organisation: {
    readonly id: string;
    readonly name: string;
    readonly policy: 'family' | 'care_record';
    readonly zone: string;
    readonly language: string;
  };
  readonly units: readonly { readonly id: string; readonly name: string }[];
  readonly residents: readonly ResidentEntry[];
  /** Everyone whose name may appear in the spaces. */
  readonly people: readonly { readonly id: string; readonly name: string; readonly role: Role }[];
  /** Are there people, residents or relations that are theirs to manage? */
  readonly manages: boolean;
  /** The device that the session was opened on: only that one synchronises. */
  readonly device: string | null;
  readonly demo: boolean;
  /** Whether this device asks who signs before each dose, and who has a PIN to sign with on it. Absent: an older server. */
  readonly asks_signer?: boolean;
  readonly signers?: readonly PinPerson[];
  /** Whoever is signed in, and who signs here: what they may do for whom by delegation. Absent: an older server. */
  readonly delegations?: readonly MyDelegation[];
  /** Of the session, and what signs changes as made in it. Not kept with the rest: see offline/keys.ts. */
  readonly sid?: string | undefined;
  readonly sync_key?: string | undefined;
}

/** Is there anybody whose day this person may see? */
export function seesDays({ residents }: Session): boolean {
  return residents.some(({ permissions }) => permissions.includes('plan.view'));
}

/** That somebody may do a medical task for a resident, from `since` until before `until` (instants). */
export interface MyDelegation {
  readonly account: string;
  readonly space: string;
  readonly task: string;
  readonly since: string;
  readonly until: string;
}

export interface ResidentEntry {
  readonly space: string;
  readonly account: string;
  readonly name: string;
  readonly flat: string;
  readonly unit: string;
  readonly permissions: readonly string[];
}
