/** Words of the plan, as in docs/records.md. Types only. */
import type { Buzz, Sound } from '../app/sound-names';

export const CATEGORIES = [
  'meal',
  'medication',
  'movement',
  'rest',
  'sleep',
  'meeting',
  'hygiene',
  'cleaning',
  'other',
] as const;
export type Category = (typeof CATEGORIES)[number];

/** Six families of colour; each category belongs to one, an unknown category to `act` with a neutral picture. */
export type Family = 'meal' | 'sleep' | 'rest' | 'med' | 'act' | 'care';

export type Criticality = 'normal' | 'important' | 'critical';
export type Day = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';
export type DayPart = 'morning' | 'day' | 'evening' | 'night';
export type Outcome =
  'done' | 'partly' | 'refused' | 'asleep' | 'away' | 'not_available' | 'held' | 'other';
/** As read: a newer app may record what this release has no word for. */
export type ReadOutcome = Outcome | 'unknown';

interface RuleLimits {
  zone: string;
  except?: string[];
  except_at?: string[];
  pause?: { from: string; to?: string }[];
}
export type Rule =
  | ({ kind: 'once'; at: string } & RuleLimits)
  | ({
      kind: 'weekly';
      days: Day[];
      times: string[];
      every?: number;
      start: string;
      end?: string;
    } & RuleLimits)
  | ({ kind: 'rrule'; rrule: string; times: string[]; start: string; end?: string } & RuleLimits)
  | ({
      kind: 'interval';
      every: string;
      from: string;
      to: string;
      start: string;
      end?: string;
    } & RuleLimits);

/** One due instance: scheduled wall time (`2026-11-27T08:00`) and the instant (ms) it fires. */
export interface Occurrence {
  local: string;
  at: number;
}

export interface Reminder {
  id: string;
  title: string;
  /** As stored: may be a word this release does not know. */
  category: string;
  label: string;
  symbol: string;
  note: string;
  minutes: number;
  checkable: boolean;
  grace: number | null;
  criticality: Criticality;
  ring: { start: boolean; again: boolean; before: number | null };
  rule: Rule;
  /** For a dose of medicine: where its order lies, the version of it that is shown, and what an outcome says of it. */
  order?: { space: string; ver: string; said: { ver: string; amount: string } };
}

export interface Profile {
  name: string;
  flat: string;
  face: string;
  zone: string;
  language: string;
  level: 1 | 2 | 3 | 4;
  weekdays: 'all' | 'weekend' | 'none';
  theme: 'auto' | 'light' | 'dark';
  night: { from: string; to: string };
  parts: Record<DayPart, string>;
  /** What calls for what can be ticked off. `none`: nothing here sounds at all. */
  sound: Sound;
  /** What calls for what only tells. */
  soundTell: Sound;
  /** How loud it becomes, in percent of what the device can. */
  loudest: number;
  buzz: Buzz;
  pause: { from: string; to?: string; why: string }[];
}

/** later: to come · now: in its time (or due and unanswered within its length) · done: answered ·
 *  open: past and unanswered · missed: past its grace · gone: past, nothing to answer · paused: silenced. */
export type ItemState = 'later' | 'now' | 'done' | 'open' | 'missed' | 'gone' | 'paused';

export interface Item {
  occ: string;
  reminder: Reminder;
  family: Family;
  /** Instants in ms; `end` equals `start` for a moment. */
  start: number;
  end: number;
  /** Scheduled wall times, `HH:MM`. */
  from: string;
  until: string;
  state: ItemState;
  /** When it counts as missed (ms). */
  missedAt: number;
  outcome: ReadOutcome | null;
  /** The completion that closed it, for undo. */
  completion: string | null;
  by: string | null;
  doneAt: number | null;
  /** Rings again at (ms), after "Påminn igen". */
  snoozedUntil: number | null;
  /** When this device or another last rang it (ms). */
  rangAt: number | null;
}

export interface Alert {
  id: string;
  kind: 'late' | 'missed' | 'help' | 'silent' | 'conflict' | 'double' | 'unentitled';
  occ: string | null;
  reminder: string | null;
  /** Of kind help: they do not want to, rather than need help. */
  unwilling: boolean;
  /** What a conflict or a double dose is about. */
  about: { coll: string; rec: string } | null;
  at: number;
  /** Of kind help: when they asked, by their own device. Earlier than `at` where that had no network. */
  asked?: number;
  step: { n: number; of: number; nextAt: number | null };
  taken: { by: string; at: number; againAt: number } | null;
  closed: { at: number; why: string } | null;
}
