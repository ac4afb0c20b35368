/** From records to a day. Pure: the rows and the moment are arguments. docs/rules.md says in words what is decided here. */
import { BUZZES, SOUNDS, type Buzz, type Sound } from '../app/sound-names';
import { madeAt } from '../offline/ids';
import type { Json, Row } from '../offline/model';
import { graceMinutes } from './grace';
import type {
  Category,
  Criticality,
  DayPart,
  Family,
  Item,
  ItemState,
  Outcome,
  ReadOutcome,
  Profile,
  Reminder,
  Rule,
} from './model';
import { type Scheduled, scheduled } from './recurrence';
import { addDays, DAY_MS, instant, instantOf, isZone, MINUTE_MS, wallTime } from './time';

export type Fields = Readonly<Record<string, Json>>;

// ───────────────────────────────────────────────────────────── reading records

/** The others are activities. */
const FAMILIES: ReadonlyMap<string, Family> = new Map<Category, Family>([
  ['meal', 'meal'],
  ['medication', 'med'],
  ['rest', 'rest'],
  ['sleep', 'sleep'],
  ['hygiene', 'care'],
]);

/** The family of colour; an unknown category looks like an activity, and is named as what it is. */
export function familyOf(category: string): Family {
  return FAMILIES.get(category) ?? 'act';
}

export function readReminder(row: Row): Reminder {
  const { doc } = row;
  const ring = fieldsOf(doc['ring']);
  return {
    id: row.rec,
    title: text(doc['title']),
    category: text(doc['category']) || 'other',
    label: text(doc['label']),
    symbol: text(doc['symbol']),
    note: text(doc['note']),
    minutes: count(doc['minutes']) ?? 0,
    checkable: doc['checkable'] !== false,
    grace: count(doc['grace']),
    criticality: oneOf(CRITICALITIES, doc['criticality']) ?? 'normal',
    ring: {
      start: ring['start'] !== false,
      again: ring['again'] !== false,
      before: count(ring['before']),
    },
    // Read where it is used: a rule from a newer release stays as it is, and schedules nothing here.
    rule: fieldsOf(doc['rule']) as unknown as Rule,
  };
}

const CRITICALITIES: readonly Criticality[] = ['normal', 'important', 'critical'];
const OUTCOMES: readonly Outcome[] = [
  'done',
  'partly',
  'refused',
  'asleep',
  'away',
  'not_available',
  'held',
  'other',
];
const LEVELS: readonly Profile['level'][] = [1, 2, 3, 4];
const WEEKDAYS: readonly Profile['weekdays'][] = ['all', 'weekend', 'none'];
const THEMES: readonly Profile['theme'][] = ['auto', 'light', 'dark'];
const SOUND_WORDS: readonly Sound[] = [...SOUNDS, 'none'];
const BUZZ_WORDS = Object.keys(BUZZES) as Buzz[];
const PARTS: Readonly<Record<DayPart, string>> = {
  morning: '06:00',
  day: '10:00',
  evening: '18:00',
  night: '23:00',
};
const NIGHT = { from: '23:00', to: '06:00' };
const ZONE = 'Europe/Stockholm';

/** The resident's profile; what is absent or not understood is the usual. */
export function readProfile(row: Row | undefined): Profile {
  const doc = row?.doc ?? {};
  const [night, parts] = [fieldsOf(doc['night']), fieldsOf(doc['parts'])];
  const zone = text(doc['zone']);
  return {
    name: text(doc['name']),
    flat: text(doc['flat']),
    face: text(doc['face']),
    zone: isZone(zone) ? zone : ZONE,
    language: text(doc['language']) || 'sv',
    level: oneOf(LEVELS, doc['level']) ?? 4,
    weekdays: oneOf(WEEKDAYS, doc['weekdays']) ?? 'all',
    theme: oneOf(THEMES, doc['theme']) ?? 'auto',
    night: { from: text(night['from']) || NIGHT.from, to: text(night['to']) || NIGHT.to },
    parts: Object.fromEntries(
      Object.entries(PARTS).map(([part, from]) => [part, text(parts[part]) || from]),
    ) as Profile['parts'],
    ...readSounds(doc),
    pause: readPauses(doc['pause']),
  };
}

/** One of a later release, or none yet, is heard as the usual one: nothing falls silent by mistake. */
function readSounds(doc: Row['doc']): Pick<Profile, 'sound' | 'soundTell' | 'loudest' | 'buzz'> {
  const sound = oneOf(SOUND_WORDS, doc['sound']) ?? 'soft';
  const tells = doc['sound_tell'] ?? sound;
  const loudest = Number(doc['loudest'] ?? NaN);
  return {
    sound,
    soundTell: sound === 'none' ? 'none' : (oneOf(SOUND_WORDS, tells) ?? 'soft'),
    loudest: loudest >= 10 && loudest <= 100 ? loudest : 100,
    buzz: oneOf(BUZZ_WORDS, doc['buzz']) ?? (sound === 'none' ? 'none' : 'short'),
  };
}

/** What calls for a reminder. */
export function soundOf(profile: Profile, { checkable }: Pick<Reminder, 'checkable'>): Sound {
  return checkable ? profile.sound : profile.soundTell;
}

function readPauses(value: Json | undefined): Profile['pause'] {
  const pauses = Array.isArray(value) ? (value as readonly Json[]) : [];
  return pauses.map(fieldsOf).flatMap((pause) => {
    const [from, to, why] = [text(pause['from']), text(pause['to']), text(pause['why'])];
    if (from === '') return [];
    return [to === '' ? { from, why } : { from, to, why }];
  });
}

/** One for all: what is worked out from a rule is known by the rule itself. */
const NOTHING: Fields = {};

export function fieldsOf(value: Json | undefined): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : NOTHING;
}

export function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

export function count(value: Json | undefined): number | null {
  return typeof value === 'number' && value >= 0 ? value : null;
}

/** A moment in ms, or null for what is none. */
export function moment(value: Json | undefined): number | null {
  const ms = Date.parse(text(value));
  return Number.isNaN(ms) ? null : ms;
}

export function oneOf<Word extends string | number>(
  words: readonly Word[],
  value: Json | undefined,
): Word | null {
  return words.find((word) => word === value) ?? null;
}

// ───────────────────────────────────────────────────────────── what happened

export interface DaySource {
  /** Whose day it is. */
  space?: string | null;
  reminders: readonly Reminder[];
  completions: readonly Row[];
  retracts: readonly Row[];
  snoozes: readonly Row[];
  rangs: readonly Row[];
  profile: Profile;
}

interface Happened {
  completion: { rec: string; at: number; outcome: ReadOutcome; by: string | null } | null;
  snooze: { at: number; until: number } | null;
  rangAt: number | null;
}

/** Everything recorded about these occurrences. A space keeps months of events: what is not wanted is only looked at. */
function happenings(source: DaySource, wanted: Map<string, Happened>): void {
  const undone = new Set(source.retracts.map((row) => text(fieldsOf(row.doc['v'])['of'])));
  for (const row of source.completions) {
    const found = wanted.get(text(fieldsOf(row.doc['v'])['occ']));
    if (found !== undefined && !undone.has(row.rec)) noteCompletion(found, row);
  }
  for (const row of source.snoozes) {
    const found = wanted.get(text(fieldsOf(row.doc['v'])['occ']));
    if (found !== undefined && !undone.has(row.rec)) noteSnooze(found, fieldsOf(row.doc['v']));
  }
  for (const row of source.rangs) {
    const v = fieldsOf(row.doc['v']);
    const found = wanted.get(text(v['occ']));
    if (found !== undefined) found.rangAt = Math.max(found.rangAt ?? 0, moment(v['at']) ?? 0);
  }
}

/** Two devices that both say "Klar" leave two events; the first by `at` counts, on every device the same. */
function noteCompletion(found: Happened, row: Row): void {
  const v = fieldsOf(row.doc['v']);
  const at = moment(v['at']) ?? 0;
  const known = found.completion;
  if (known !== null && (known.at < at || (known.at === at && known.rec < row.rec))) return;
  const by = text(row.doc['by']) || null;
  found.completion = { rec: row.rec, at, outcome: oneOf(OUTCOMES, v['st']) ?? 'unknown', by };
}

function noteSnooze(found: Happened, v: Fields): void {
  const [at, until] = [moment(v['at']) ?? 0, moment(v['until'])];
  if (until === null || (found.snooze !== null && found.snooze.at > at)) return;
  found.snooze = { at, until };
}

// ───────────────────────────────────────────────────────────── the day

export interface Planned {
  reminder: Reminder;
  occurrence: Scheduled;
}

/** A local date, and the present moment (ms). */
export interface At {
  date: string;
  now: number;
}

/** That local date's items, ordered by start: what starts on it, what runs into it from the evening before, and what
 *  began before midnight and still waits for an answer at `now`. `change`: where the plan was changed after an answer,
 *  what is to be seen of it (`moved.ts`). */
export function dayOf(
  source: DaySource,
  { date, now }: At,
  change: (planned: Planned[]) => Planned[] = (planned) => planned,
): Item[] {
  const { zone } = source.profile;
  const begins = instant(`${date}T00:00`, zone);
  const ends = instant(`${addDays(date, 1)}T00:00`, zone);
  // Nothing lasts longer than a day.
  const planned = change(
    source.reminders.flatMap((reminder) =>
      schedule(reminder, begins - DAY_MS, ends).map((occurrence) => ({ reminder, occurrence })),
    ),
  );
  const happened = new Map(
    planned.map(({ reminder, occurrence }) => [
      occOf(reminder, occurrence),
      { completion: null, snooze: null, rangAt: null },
    ]),
  );
  happenings(source, happened);
  return planned
    .map(({ reminder, occurrence }) =>
      itemOf(reminder, occurrence, happened.get(occOf(reminder, occurrence)), {
        paused: occurrence.paused || pauseOn(source.profile.pause, occurrence.day) !== null,
        now,
      }),
    )
    .filter((item) => item.completion !== null || wasPlanned(item))
    .filter((item) => item.start >= begins || item.end > begins || isWaiting(item, begins, now))
    .sort((a, b) => a.start - b.start || byImportance(a, b));
}

function occOf(reminder: Reminder, occurrence: Scheduled): string {
  return `${reminder.id}@${occurrence.local}`;
}

/** A rule that this release cannot read schedules nothing; the editor says so (`checkRule`). */
function schedule(reminder: Reminder, from: number, to: number): Scheduled[] {
  try {
    return scheduled(reminder.rule, from, to);
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

/** The pause that covers the day, or null. */
export function pauseOn(pauses: Profile['pause'], day: string): Profile['pause'][number] | null {
  return pauses.find(({ from, to }) => from <= day && (to === undefined || day <= to)) ?? null;
}

/** A medicine of 23:50 does not vanish at midnight. */
function isWaiting(item: Item, begins: number, now: number): boolean {
  return now >= begins && (item.state === 'now' || item.state === 'open');
}

/** What somebody plans for this minute still begins, here as on the server. */
const STILL_BEGINS_MS = 5 * MINUTE_MS;

/** Nobody plans breakfast for this morning in the afternoon: what began before its reminder was made waited for nobody. */
function wasPlanned({ reminder, start }: Item): boolean {
  return start >= (madeAt(reminder.id) ?? -Infinity) - STILL_BEGINS_MS;
}

function itemOf(
  reminder: Reminder,
  { local, at }: Scheduled,
  happened: Happened | undefined,
  { paused, now }: { paused: boolean; now: number },
): Item {
  const end = endOf(reminder, local, at);
  const { completion = null, snooze = null, rangAt = null } = happened ?? {};
  const snoozed = snooze === null ? null : (snooze.until - at) / MINUTE_MS;
  const missedAt = at + graceMinutes(reminder, snoozed) * MINUTE_MS;
  return {
    occ: `${reminder.id}@${local}`,
    reminder,
    family: familyOf(reminder.category),
    start: at,
    end,
    from: local.slice(11),
    until: end === at ? local.slice(11) : wallTime(end, reminder.rule.zone).slice(11),
    state: stateOf(
      { reminder, start: at, end, missedAt, answered: completion !== null, paused },
      now,
    ),
    missedAt,
    outcome: completion?.outcome ?? null,
    completion: completion?.rec ?? null,
    by: completion?.by ?? null,
    doneAt: completion?.at ?? null,
    snoozedUntil: completion === null ? (snooze?.until ?? null) : null,
    rangAt,
  };
}

/** The end is wall time, too: a night's sleep until 06:00 ends at 06:00 also when the clocks change in it. */
function endOf(reminder: Reminder, local: string, start: number): number {
  if (reminder.minutes === 0) return start;
  const midnight = Date.parse(`${local.slice(0, 10)}T00:00Z`) / DAY_MS;
  const minute = Number(local.slice(11, 13)) * 60 + Number(local.slice(14)) + reminder.minutes;
  return Math.max(start, instantOf(midnight, minute, reminder.rule.zone));
}

interface Facts {
  reminder: Reminder;
  start: number;
  end: number;
  missedAt: number;
  answered: boolean;
  paused: boolean;
}

/** A moment, such as a medicine, is "now" for its first quarter of an hour. */
const MOMENT_MS = 15 * MINUTE_MS;

function stateOf(facts: Facts, now: number): ItemState {
  const { reminder, start, end, missedAt } = facts;
  if (facts.answered) return 'done';
  if (facts.paused) return 'paused';
  if (now < start) return 'later';
  const moment = reminder.checkable ? Math.min(start + MOMENT_MS, missedAt) : start + MOMENT_MS;
  if (now < (reminder.minutes === 0 ? moment : end)) return 'now';
  if (!reminder.checkable) return 'gone';
  return now < missedAt ? 'open' : 'missed';
}

/** It came about, whole or in part; not when it was refused, say. */
export function isDone({ outcome }: Item): boolean {
  return outcome === 'done' || outcome === 'partly';
}

// ───────────────────────────────────────────────────────────── now and next

const BY_FAMILY: readonly Family[] = ['med', 'meal', 'sleep', 'rest', 'care', 'act'];

/** The more important first: criticality, then the family, then what began first. */
function byImportance(a: Item, b: Item): number {
  return (
    CRITICALITIES.indexOf(b.reminder.criticality) - CRITICALITIES.indexOf(a.reminder.criticality) ||
    BY_FAMILY.indexOf(a.family) - BY_FAMILY.indexOf(b.family) ||
    a.start - b.start ||
    (a.occ < b.occ ? -1 : 1)
  );
}

/** What the cards show: one Nu; when two things are on at once, the less important as `also` ("Nu också"); one Sen.
 *  What is past its time and unanswered is still to do, but never hides what is on. */
export function nowAndNext(
  items: readonly Item[],
  now: number,
): { now: Item | null; also: Item | null; next: Item | null } {
  // Two days' items hold a night's sleep twice.
  const once = [...new Map(items.map((item) => [item.occ, item])).values()];
  const due = once
    .filter((item) => item.state === 'now' || item.state === 'open')
    .sort(byImportance);
  const [first = null, ...rest] = due;
  const isOn = (item: Item) => item.state === 'now';
  const second = first !== null && isOn(first) ? rest[0] : (rest.find(isOn) ?? rest[0]);
  const [next = null] = once
    .filter((item) => item.state === 'later' && item.start > now)
    .sort((a, b) => a.start - b.start || byImportance(a, b));
  return { now: first, also: second ?? null, next };
}
