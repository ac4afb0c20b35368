/** Who has seen a resident's data, as the server tells it. */
import { has, t } from '../app/i18n.svelte';

export interface Seen {
  day: string;
  person: string;
  role: string;
  /** Instants. */
  first: string;
  last: string;
  read: boolean;
  changed: boolean;
  exported: boolean;
  feed: boolean;
  emergency: boolean;
  medication: boolean;
}

export interface SeenPage {
  since: string;
  zone: string;
  seen: Seen[];
  /** Up to which day there is more; null: that was all. */
  before: string | null;
}

/** By day, in the order in which they come. */
export function byDay(seen: readonly Seen[]): { day: string; people: Seen[] }[] {
  const days: { day: string; people: Seen[] }[] = [];
  for (const each of seen) {
    const last = days.at(-1);
    if (last?.day === each.day) last.people.push(each);
    else days.push({ day: each.day, people: [each] });
  }
  return days;
}

/** The day before a day, both as `2026-11-27`. */
export function dayBefore(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}

/** What somebody is, in the reader's language; a role that this app does not know stays itself. */
export function roleWord(role: string): string {
  const key = `settings.seen.role.${role}`;
  return has(key) ? t(key) : role;
}
