/** What anybody may know before signing in. */
import type { Role } from '../app/session';

export interface Installation {
  readonly claimed: boolean;
  readonly demo: boolean;
  readonly version: string;
  readonly demo_accounts?: readonly DemoPerson[];
}

export interface DemoPerson {
  readonly email: string;
  readonly name: string;
  readonly role: Role;
}
