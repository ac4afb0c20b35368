/** The logs as the server tells them. */
import { t, has, locale } from '../../app/i18n.svelte';

export type Kind = 'read' | 'changed' | 'exported' | 'printed';
export type Outcome = 'reasonable' | 'follow_up' | 'forbidden';

export interface Access {
  id: string;
  at: string;
  space: string;
  resident: string;
  unit: string;
  account: string;
  person: string;
  role: string;
  device: string | null;
  kind: Kind;
  what: string;
  purpose: string;
}

export interface AccessPage {
  entries: Access[];
  next: string | null;
}

export interface Line {
  n: number;
  at: string;
  event: string;
  by: string | null;
  person: string | null;
  of: string | null;
  whom: string | null;
  /** The device on which a PIN is, by name. */
  device: string | null;
  says: Readonly<Record<string, unknown>>;
}

export interface ChainPage {
  lines: Line[];
  next: number | null;
}

export interface Named {
  id: string;
  name: string;
  role: string | null;
}

export interface Choices {
  accesses: boolean;
  events: boolean;
  residents: Named[];
  people: Named[];
}

export interface Month {
  month: string;
  lines: number;
  drawn: number;
  left: number;
}

export interface Sample {
  month: string;
  entry: Access;
  outcome: Outcome | null;
  note: string;
  reviewer: string | null;
  reviewed_at: string | null;
  own: boolean;
}

export interface Queue {
  months: Month[];
  month: string | null;
  samples: Sample[];
}

/** Whom staff opened in an emergency; `at` and `until` are instants, `own`: it was the reader. */
export interface Emergency {
  id: string;
  person: string;
  role: string;
  space: string;
  resident: string;
  unit: string;
  at: string;
  until: string;
  cause: 'urgent' | 'cover' | 'asked' | 'other';
  reason: string;
  outcome: Outcome | null;
  note: string;
  reviewer: string | null;
  reviewed_at: string | null;
  own: boolean;
}

export const KINDS: readonly Kind[] = ['read', 'changed', 'exported', 'printed'];

/** The events that are asked for most, the door first. */
export const EVENTS = [
  'signed_in',
  'sign_in_failed',
  'locked_out',
  'signed_out',
  'signed_out_everywhere',
  'stepped_up',
  'step_up_failed',
  'password_changed',
  'reset_sent',
  'passkey_added',
  'passkey_removed',
  'totp_set',
  'totp_changed',
  'totp_removed',
  'recovery_codes_made',
  'recovery_code_used',
  'second_factor_reset',
  'second_factor_required',
  'second_factor_optional',
  'identity_linked',
  'identity_unlinked',
  'identity_provider_set',
  'identity_provider_removed',
  'pin_set',
  'pin_changed',
  'pin_removed',
  'signature_made',
  'invited',
  'invitation_mailed',
  'invitation_withdrawn',
  'account_added',
  'account_changed',
  'relation_added',
  'relation_changed',
  'relation_ended',
  'emergency_opened',
  'emergency_ended',
  'emergency_reviewed',
  'delegation_given',
  'delegation_revoked',
  'delegation_ended',
  'resident_added',
  'resident_changed',
  'device_changed',
  'device_ended',
  'device_wiped',
  'feed_added',
  'feed_ended',
  'channel_set',
  'channel_removed',
  'webhook_added',
  'webhook_changed',
  'webhook_removed',
  'template_set',
  'template_removed',
  'exported',
  'erased',
  'sample_drawn',
  'sample_reviewed',
  'access_log_dropped',
] as const;

/** A word of the server's in the reader's language; one that this app does not know stays itself. */
export function word(kind: 'kind' | 'what' | 'role' | 'purpose' | 'event', said: string): string {
  const key = `admin.logs.${kind}.${said}`;
  return has(key) ? t(key) : said;
}

/** `?a=1&b=2` of what is chosen; what is not is left out. */
export function query(chosen: Readonly<Record<string, string | null | undefined>>): string {
  const given = Object.entries(chosen).filter((pair): pair is [string, string] => !!pair[1]);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

/** The first instant of a day, or the first after it, on the clock of the device. */
export function instant(day: string, after = false): string | null {
  const [year = NaN, month = NaN, date = NaN] = day.split('-').map(Number);
  const moment = new Date(year, month - 1, date + (after ? 1 : 0));
  return Number.isNaN(moment.getTime()) ? null : moment.toISOString();
}

export function clockText(at: string): string {
  return new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit' }).format(
    Date.parse(at),
  );
}

export function dayText(at: string): string {
  return new Intl.DateTimeFormat(locale(), {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  }).format(Date.parse(at));
}

export function monthText(month: string): string {
  return new Intl.DateTimeFormat(locale(), { month: 'long', year: 'numeric' }).format(
    new Date(`${month}T12:00:00`),
  );
}

/** Entries by day, in the order in which they come. */
export function byDay<Entry extends { at: string }>(
  entries: readonly Entry[],
): { day: string; entries: Entry[] }[] {
  const days: { day: string; entries: Entry[] }[] = [];
  for (const entry of entries) {
    const day = dayText(entry.at);
    const last = days.at(-1);
    if (last?.day === day) last.entries.push(entry);
    else days.push({ day, entries: [entry] });
  }
  return days;
}
