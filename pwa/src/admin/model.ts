/** Words of who belongs to the home, as the API answers. Types only. */
import type { Role } from '../app/session';

export interface Unit {
  id: string;
  name: string;
  zone: string;
  language: string;
  archived_at: string | null;
}

export interface Account {
  id: string;
  role: Role;
  name: string;
  email: string | null;
  language: string;
  disabled: boolean;
  has_password: boolean;
  /** A passkey, or codes from a phone. */
  has_second_factor: boolean;
  /** Somebody at the organisation's identity provider opens it. */
  linked: boolean;
  /** When the newest unused invitation ends, or null. */
  invited_until: string | null;
  units: string[];
  /** False for a person who also belongs where the asking manager does not manage. */
  within: boolean;
}

export interface ResidentEntry {
  space: string;
  account: string;
  name: string;
  flat: string;
  unit: string;
  language: string;
  archived_at: string | null;
}

export interface Relation {
  id: string;
  account: string;
  /** One of the two is set: one resident, or all residents of a unit. */
  space: string | null;
  unit: string | null;
  permissions: string[];
  is_primary: boolean;
  consent: string;
  valid_from: string;
  valid_to: string | null;
}

export interface InvitationLink {
  id: string;
  token: string;
  /** The token as somebody types it, four letters at a time. */
  code: string;
  expires_at: string;
  /** Where it leads, as other devices reach this MOS, and a picture of that address. */
  url: string;
  qr: string;
  /** Where a device goes first that does not trust this MOS's private authority yet. */
  trust: { url: string; qr: string } | null;
  /** Mail goes out here, so that it can be sent so. */
  by_mail: boolean;
}

/** What one person may do for one resident; nothing where `permissions` is empty. */
export interface Sight {
  space: string;
  permissions: string[];
}
