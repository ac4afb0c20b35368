/** Residents at a glance: status, now and next, the strip of the day, what happened last.
 *  Pure: items, alerts and the moment are arguments. */
import type { SyncStatus } from '../offline/model';
import type { Alert, Family, Item, Profile } from '../plan/model';
import { isDone, pauseOn } from '../plan/day';
import { addDays, instant, wallTime } from '../plan/time';

const MINUTE = 60_000;

// ───────────────────────────────────────────────────────────── status

interface Paused {
  /** Its last day; null: until further notice. */
  until: string | null;
  why: string;
}

/** A call for help stands beside a pause; nothing else does. */
export type Status =
  | { kind: 'fetching' }
  | { kind: 'help'; since: number; paused: Paused | null; unwilling: boolean }
  | { kind: 'double'; since: number }
  | { kind: 'missed'; count: number }
  | { kind: 'late'; minutes: number; since: number }
  | { kind: 'silent'; since: number }
  | ({ kind: 'paused' } & Paused)
  | { kind: 'unplanned' }
  | { kind: 'on_time' };

export const FILTERS = ['all', 'needs_you', 'on_time', 'paused'] as const;
export type Filter = (typeof FILTERS)[number];

export interface Facts {
  /** The local day's items, ordered by start. */
  items: readonly Item[];
  /** Open and closed alerts of the resident. */
  alerts: readonly Alert[];
  profile: Pick<Profile, 'pause'>;
  /** True when the resident has any reminder at all, on whatever day. */
  planned: boolean;
  /** The resident's local date. */
  date: string;
  now: number;
  /** The resident's records have come to this device. */
  arrived: boolean;
}

/** The pause that a status tells of, or null. */
export function pauseOf(status: Status): Paused | null {
  if (status.kind === 'paused') return status;
  return status.kind === 'help' ? status.paused : null;
}

/** Due, answerable, past its time and not yet missed: what a supporter can still set right. */
export function isLate(item: Item): boolean {
  return item.state === 'open' && item.reminder.checkable;
}

/** One status per resident: the one that most needs a human, in this order. */
export function statusOf({ arrived, items, alerts, profile, planned, date, now }: Facts): Status {
  if (!arrived) return { kind: 'fetching' };
  const open = alerts.filter((alert) => alert.closed === null);
  const pause = pauseOn(profile.pause, date);
  const paused = pause && { until: pause.to ?? null, why: pause.why };
  const helps = open.filter((alert) => alert.kind === 'help');
  // Whoever needs help comes before whoever does not want to.
  const help = helps.find(({ unwilling }) => !unwilling) ?? helps[0];
  if (help) return { kind: 'help', since: beganAt(help), paused, unwilling: help.unwilling };
  // Given twice is given twice, also on a day that is paused.
  const double = open.find((alert) => alert.kind === 'double');
  if (double) return { kind: 'double', since: double.at };
  if (paused) return { kind: 'paused', ...paused };

  const missed = missedCount(items, open);
  if (missed > 0) return { kind: 'missed', count: missed };

  const late = lateSince(items, open);
  if (late !== null) {
    return { kind: 'late', minutes: minutesBetween(late, now), since: late };
  }

  const silent = open.find((alert) => alert.kind === 'silent');
  if (silent) return { kind: 'silent', since: silent.at };

  return planned ? { kind: 'on_time' } : { kind: 'unplanned' };
}

/** Since when somebody waits: a call for help since they made it, however late it came. */
export function beganAt({ at, asked }: Pick<Alert, 'at' | 'asked'>): number {
  return asked === undefined ? at : Math.min(asked, at);
}

/** What is missed counts once, whether this device worked it out or the server's alert says so. */
function missedCount(items: readonly Item[], open: readonly Alert[]): number {
  const occurrences = new Set(
    items.filter((item) => item.state === 'missed').map((item) => item.occ),
  );
  for (const alert of open) {
    if (alert.kind === 'missed' && !isAnswered(items, alert)) {
      occurrences.add(alert.occ ?? alert.id);
    }
  }
  return occurrences.size;
}

/** Since when the earliest late thing was due, in ms; null when nothing is late. */
function lateSince(items: readonly Item[], open: readonly Alert[]): number | null {
  const starts = items.filter(isLate).map((item) => item.start);
  for (const alert of open) {
    if (alert.kind !== 'late' || isAnswered(items, alert)) continue;
    starts.push(items.find((item) => item.occ === alert.occ)?.start ?? alert.at);
  }
  return starts.length > 0 ? Math.min(...starts) : null;
}

/** What an alert says is over, as far as this device knows, or a pause silences it. `paused`: the resident's day is.
 *
 *  An answer settles that something waited for one, and nothing else: a dose given twice has two, a call for help and
 *  two versions of an order wait for a person, a device that is silent for the device. The server closes alike
 *  (`close_alerts_of`). */
export function isSettled(
  { kind }: Alert,
  item: Item | null,
  { paused }: { paused: boolean },
): boolean {
  switch (kind) {
    case 'late':
    case 'missed':
      return item !== null && (item.outcome !== null || item.state === 'paused');
    case 'silent':
      return paused;
    case 'help':
    case 'conflict':
    case 'double':
    case 'unentitled':
      return false;
  }
}

/** Finds an occurrence by its name, `reminder@2026-11-27T08:00`, of whatever day: what nobody has seen to is no less so
 *  after two weeks. `itemsOn` answers a local date's items, and is asked once for each. */
export function finderOf(
  recent: readonly Item[],
  itemsOn: (date: string) => readonly Item[],
): (occ: string | null) => Item | null {
  const days = new Map<string, readonly Item[]>();
  return (occ) => {
    const near = recent.find((item) => item.occ === occ);
    const date = /@(\d{4}-\d\d-\d\d)T/.exec(occ ?? '')?.[1];
    if (near || date === undefined) return near ?? null;
    const items = days.get(date) ?? itemsOn(date);
    days.set(date, items);
    return items.find((item) => item.occ === occ) ?? null;
  };
}

/** An outcome given on this device closes the alert on the server a moment later; the screen need not wait. */
function isAnswered(items: readonly Item[], alert: Alert): boolean {
  return items.some((item) => item.occ === alert.occ && item.outcome !== null);
}

/** Why somebody is needed, in the row itself. */
export interface Need {
  /** What is missed or late, the first of it; null where it is not about something planned, or not known here. */
  item: Item | null;
  /** Since when, in ms. */
  since: number;
  /** Who saw to it last and when, if all of it has been taken and rests. */
  taken: Alert['taken'];
}

/** What a status that needs somebody is about; null for one that does not. */
export function needOf(
  status: Status,
  { items, alerts, now }: Pick<Facts, 'items' | 'alerts' | 'now'>,
): Need | null {
  if (!needsYou(status)) return null;
  const open = alerts
    .filter(({ kind, closed }) => kind === status.kind && closed === null)
    // What was given twice is answered, and waits for somebody all the same.
    .filter((alert) => alert.kind === 'double' || !isAnswered(items, alert));
  const isWanted = (item: Item): boolean =>
    open.some(({ occ }) => occ === item.occ) ||
    (status.kind === 'missed' && item.state === 'missed') ||
    (status.kind === 'late' && isLate(item));
  const wanted = items.filter((item) => item.outcome === null).filter(isWanted);
  const [item = null] = [...wanted].sort((a, b) => a.start - b.start);
  // What this device alone has worked out, nobody can have taken.
  const untold = wanted.some(({ occ }) => open.every((alert) => alert.occ !== occ));
  const rests = open.length > 0 && !untold && open.every((alert) => isResting(alert, now));
  const taken = rests
    ? open.map((alert) => alert.taken).sort((a, b) => (b?.at ?? 0) - (a?.at ?? 0))
    : [];
  const since = item?.start ?? Math.min(...open.map(beganAt));
  return { item, since, taken: taken[0] ?? null };
}

export function needsYou(status: Status): boolean {
  return ['help', 'double', 'missed', 'late', 'silent'].includes(status.kind);
}

/** `need`: why somebody is needed. What a colleague has taken needs nobody else while it rests. */
export function isShown(
  { status, need }: { status: Status; need: Pick<Need, 'taken'> | null },
  filter: Filter,
): boolean {
  switch (filter) {
    case 'all':
      return true;
    case 'needs_you':
      return need !== null && need.taken === null;
    case 'on_time':
      return status.kind === 'on_time';
    case 'paused':
      return pauseOf(status) !== null;
  }
}

/** By flat, as people walk along the corridor ("2" before "10"), then by name. Never by status. */
export function byFlat(
  a: { flat: string; name: string },
  b: { flat: string; name: string },
): number {
  const order = { numeric: true, sensitivity: 'base' } as const;
  return (
    a.flat.localeCompare(b.flat, undefined, order) || a.name.localeCompare(b.name, undefined, order)
  );
}

// ───────────────────────────────────────────────────────────── without contact

/** So long without contact, and what others have done meanwhile may be what matters. */
const PRESENT_MS = 3 * MINUTE;

/** The moment as of which this device knows the residents, in ms; null while that is the present. By this device's clock,
 *  as the moments in the status. */
export function shownAsOf(
  { online, lastSyncedAt }: Pick<SyncStatus, 'online' | 'lastSyncedAt'>,
  now: number,
): number | null {
  if (online || lastSyncedAt === null) return null;
  return now - lastSyncedAt > PRESENT_MS ? lastSyncedAt : null;
}

// ───────────────────────────────────────────────────────────── now and next

export interface Glance {
  /** What is on, or what is late; null between things. */
  now: Item | null;
  late: boolean;
  next: Item | null;
}

/** What is late stands before what is on: it is what the supporter acts on. */
export function glanceOf(items: readonly Item[]): Glance {
  const late = items.find(isLate) ?? null;
  const on = items.find((item) => item.state === 'now') ?? null;
  const next = items.find((item) => item.state === 'later') ?? null;
  if (late) return { now: late, late: true, next: on ?? next };
  return { now: on, late: false, next };
}

/** When the resident last ate, as far as anybody recorded it; null when nobody did. */
export function lastMealAt(items: readonly Item[]): number | null {
  const eaten = items
    .filter((item) => item.family === 'meal')
    .filter(isDone)
    .map((item) => item.doneAt ?? item.start);
  return eaten.length > 0 ? Math.max(...eaten) : null;
}

/** Hours without food that staff must know of: the goal of at most eleven hours at night holds for any time. */
export const LONG_WITHOUT_FOOD = 11 * 60 * MINUTE;

// ───────────────────────────────────────────────────────────── the strip

export interface StripWindow {
  from: number;
  to: number;
  /** Each third hour that is labelled: its place in percent and its hour. */
  ticks: { left: number; hour: string }[];
}

/** The hours that everybody's strip shares: the day from 06:30, or the night from 18:00, so that now is always inside. */
export function windowOf(now: number, zone: string): StripWindow {
  const wall = wallTime(now, zone);
  const date = wall.slice(0, 10);
  const time = wall.slice(11, 16);
  if (time >= '06:30' && time < '22:00') {
    return stripWindow(`${date}T06:30`, `${date}T22:30`, zone);
  }
  const evening = time >= '22:00' ? date : addDays(date, -1);
  return stripWindow(`${evening}T18:00`, `${addDays(evening, 1)}T10:00`, zone);
}

function stripWindow(fromLocal: string, toLocal: string, zone: string): StripWindow {
  const from = instant(fromLocal, zone);
  const to = instant(toLocal, zone);
  const ticks = [];
  for (const date of new Set([fromLocal.slice(0, 10), toLocal.slice(0, 10)])) {
    for (let hour = 0; hour < 24; hour += 3) {
      const at = instant(`${date}T${String(hour).padStart(2, '0')}:00`, zone);
      if (at > from && at < to)
        ticks.push({ left: percent(at, from, to), hour: String(hour || 24) });
    }
  }
  return { from, to, ticks };
}

export function percent(at: number, from: number, to: number): number {
  return Math.round(((at - from) / (to - from)) * 10_000) / 100;
}

/** answered: with something else than that it was done. */
export type MarkLook = 'later' | 'now' | 'done' | 'answered' | 'missed' | 'late' | 'gone';

export interface Mark {
  occ: string;
  shape: 'bar' | 'point';
  look: MarkLook;
  family: Family;
  /** Percent of the strip. */
  left: number;
  width: number;
  item: Item;
}

/** Marks of the strip, painted in this order: what is now last, so that its outline is whole. */
export function marksOf(items: readonly Item[], { from, to }: StripWindow): Mark[] {
  const marks = [];
  for (const item of items) {
    // A night that is over says nothing; the strip begins with the day.
    if (item.state === 'paused' || (item.state === 'gone' && item.family === 'sleep')) continue;
    const isPoint = item.end <= item.start;
    if (item.start >= to || (isPoint ? item.start < from : item.end <= from)) continue;
    const left = percent(Math.max(item.start, from), from, to);
    const right = percent(Math.min(item.end, to), from, to);
    marks.push({
      occ: item.occ,
      shape: isPoint ? ('point' as const) : ('bar' as const),
      look: lookOf(item),
      family: item.family,
      left,
      width: isPoint ? 0 : right - left,
      item,
    });
  }
  return marks.sort((a, b) => PAINT_ORDER[a.look] - PAINT_ORDER[b.look]);
}

const PAINT_ORDER: Record<MarkLook, number> = {
  gone: 0,
  done: 1,
  answered: 1,
  later: 2,
  missed: 3,
  now: 4,
  late: 5,
};

function lookOf(item: Item): MarkLook {
  switch (item.state) {
    case 'later':
    case 'now':
    case 'missed':
    case 'gone':
      return item.state;
    case 'done':
      return isDone(item) ? 'done' : 'answered';
    case 'open':
      return item.reminder.checkable ? 'late' : 'gone';
    case 'paused':
      return 'gone';
  }
}

// ───────────────────────────────────────────────────────────── alerts

/** Taken by somebody and still resting: until `againAt` nobody needs to act. */
export function isResting(alert: Alert, now: number): boolean {
  return alert.taken !== null && alert.taken.againAt > now;
}

const URGENCY: Record<Alert['kind'], number> = {
  help: 0,
  double: 1,
  missed: 2,
  conflict: 3,
  unentitled: 4,
  late: 5,
  silent: 6,
};

/** Open alerts: those that wait for somebody first, the most urgent kind first, the oldest first. */
export function openAlerts<T extends { alert: Alert }>(all: readonly T[], now: number): T[] {
  return all
    .filter(({ alert }) => alert.closed === null)
    .sort(
      (a, b) =>
        Number(isResting(a.alert, now)) - Number(isResting(b.alert, now)) ||
        URGENCY[a.alert.kind] - URGENCY[b.alert.kind] ||
        a.alert.at - b.alert.at,
    );
}

export const AGAIN_AFTER = 30 * MINUTE;

/** The groups of "Jag tar det". */
export function taking(by: string, now: number): { by: string; at: string; again_at: string } {
  return {
    by,
    at: new Date(now).toISOString(),
    again_at: new Date(now + AGAIN_AFTER).toISOString(),
  };
}

// ───────────────────────────────────────────────────────────── what happened last

export type Happening =
  | { at: number; space: string; what: 'outcome'; item: Item }
  | { at: number; space: string; what: Exclude<Alert['kind'], 'late'>; alert: Alert }
  | { at: number; space: string; what: 'taken'; alert: Alert; by: string }
  | { at: number; space: string; what: 'manages'; alert: Alert };

/** The last things that happened among the residents, newest first. */
export function recentOf(
  homes: readonly { space: string; items: readonly Item[]; alerts: readonly Alert[] }[],
  limit: number,
): Happening[] {
  const all: Happening[] = [];
  for (const { space, items, alerts } of homes) {
    for (const item of items) {
      if (item.outcome && item.doneAt !== null) {
        all.push({ at: item.doneAt, space, what: 'outcome', item });
      }
    }
    for (const alert of alerts) {
      if (alert.kind !== 'late') all.push({ at: beganAt(alert), space, what: alert.kind, alert });
      if (alert.taken) {
        all.push({ at: alert.taken.at, space, what: 'taken', alert, by: alert.taken.by });
      }
      // Nothing of the plan cancels a call for help: whoever made it has taken it back.
      if (alert.kind === 'help' && alert.closed?.why === 'cancelled')
        all.push({ at: alert.closed.at, space, what: 'manages', alert });
    }
  }
  return all.sort((a, b) => b.at - a.at).slice(0, limit);
}

// ───────────────────────────────────────────────────────────── words of time

export function minutesBetween(from: number, to: number): number {
  return Math.max(0, Math.floor((to - from) / MINUTE));
}

/** Minutes as hours and minutes, for "2 h 5 min" and "29 min"; the words are the catalogue's. */
export function hoursAndMinutes(minutes: number): { hours: number; minutes: number } {
  return { hours: Math.floor(minutes / 60), minutes: minutes % 60 };
}
