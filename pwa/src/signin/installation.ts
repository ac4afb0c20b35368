/** What anybody may know before signing in. */
import type { Role } from '../app/session';

export interface Installation {
  readonly claimed: boolean;
  readonly demo: boolean;
  readonly version: string;
  /** In a demo alone: who can be tried out, and the password that they share. */
  readonly demo_accounts?: readonly DemoPerson[];
  readonly demo_password?: string;
}

export interface DemoPerson {
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  /** A face of ui/symbols.ts, or empty. */
  readonly face: string;
}
