/** What anybody may know before signing in. */
import type { Role } from '../app/session';

export interface Installation {
  readonly claimed: boolean;
  readonly demo: boolean;
  readonly version: string;
  /** The host whose passkeys are asked for; absent where browsers make none. */
  readonly passkeys?: string;
  /** The identity providers by which people of an organisation sign in. */
  readonly providers?: readonly ProviderOffer[];
  /** In a demo alone: who can be tried out, and the password that they share. */
  readonly demo_accounts?: readonly DemoPerson[];
  readonly demo_password?: string;
}

export interface ProviderOffer {
  readonly organisation: string;
  readonly label: string;
}

export interface DemoPerson {
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  /** A face of ui/symbols.ts, or empty. */
  readonly face: string;
}
