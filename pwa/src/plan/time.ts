/** Wall time and instants. A plan is wall time in a zone, an event is an instant; only here does one become the other.
 *
 *  Dates are `2026-11-27`, wall times `2026-11-27T08:00`, instants milliseconds since 1970. What the browser knows of
 *  zones comes through `Intl`; each day's offset is asked for once and kept.
 */
import type { Day, DayPart } from './model';

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;
/** Monday first, as ISO weeks are. */
export const DAYS: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

// ───────────────────────────────────────────────────────────── days

/** Days since 1970-01-01, or null for what is no date of the calendar. */
export function dayNumber(date: string): number | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || date < '0001') return null;
  const ms = Date.parse(`${date}T00:00Z`);
  // Some engines let 30 February roll over into March.
  return Number.isNaN(ms) || new Date(ms).getUTCDate() !== Number(date.slice(8))
    ? null
    : ms / DAY_MS;
}

/** A date that exists: 2026-02-29 does not. */
export function isDate(value: string): boolean {
  return dayNumber(value) !== null;
}

/** The date of a day number. */
export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** The date `days` later; earlier when negative. */
export function addDays(date: string, days: number): string {
  return dateOf(known(date) + days);
}

/** The weekday of a date. */
export function weekday(date: string): Day {
  return DAYS[weekdayIndex(known(date))] as Day;
}

/** 0 for a Monday to 6 for a Sunday. 1970-01-01 was a Thursday. */
export function weekdayIndex(day: number): number {
  return (((day + 3) % 7) + 7) % 7;
}

function known(date: string): number {
  const day = dayNumber(date);
  if (day === null) throw new RangeError(`not a date: ${date}`);
  return day;
}

// ───────────────────────────────────────────────────────────── clock times

/** Minutes after midnight of `08:00`, or null for what is no clock time (`24:00`, seconds). */
export function minuteOf(clock: string): number | null {
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(clock)) return null;
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
}

/** `08:00` for 480 minutes after midnight. */
export function clockOf(minute: number): string {
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : `${number}`;
}

/** The part of the day that a clock in `zone` shows at the instant; each part lasts until the next begins. */
export function dayPart(ms: number, zone: string, parts: Record<DayPart, string>): DayPart {
  const clock = wallTime(ms, zone).slice(11);
  const ordered = (Object.entries(parts) as [DayPart, string][]).sort((a, b) =>
    a[1] < b[1] ? -1 : 1,
  );
  // Before the first one, the last of the day before is still running.
  const begun = ordered.filter(([, from]) => from <= clock).at(-1) ?? ordered.at(-1);
  return begun?.[0] ?? 'day';
}

// ───────────────────────────────────────────────────────────── zones

/** A day's offset in ms, or where in the day it changes. */
interface ZoneDay {
  before: number;
  after: number;
  /** The first instant at which `after` holds. */
  turn: number;
}

interface Zone {
  format: Intl.DateTimeFormat;
  days: Map<number, ZoneDay>;
}

const zones = new Map<string, Zone>();

/** IANA's names of three letters. Browsers take more, such as PST and IST, and mean different things by them. */
const SHORT_NAMES = 'CET EET EST GMT HST MET MST PRC ROC ROK UCT UTC WET'.split(' ');

/** True for an IANA name that this browser knows, spelt as IANA spells it. */
export function isZone(name: string): boolean {
  return lookUp(name) !== null;
}

function zoneOf(name: string): Zone {
  const zone = lookUp(name);
  if (zone === null) throw new RangeError(`not a time zone: ${name}`);
  return zone;
}

function lookUp(name: string): Zone | null {
  const before = zones.get(name);
  if (before !== undefined) return before;
  if (name.length === 3 && !SHORT_NAMES.includes(name)) return null;
  // Intl also takes bare offsets and any case: a name must mean the same on the server.
  if (!/^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/.test(name)) return null;
  try {
    // One for both questions: making it is the slow part.
    const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
    const spelt = format.resolvedOptions().timeZone;
    if (spelt !== name && spelt.toLowerCase() === name.toLowerCase()) return null;
    const zone = { format, days: new Map<number, ZoneDay>() };
    zones.set(name, zone);
    return zone;
  } catch {
    return null;
  }
}

/** Asks Intl: slow, hence only at the ends of a day and while looking for a change. */
function askOffset(zone: Zone, ms: number): number {
  const [, sign, hours, minutes, seconds] =
    /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(zone.format.format(ms)) ?? [];
  if (sign === undefined) return 0;
  const size = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds ?? 0);
  return (sign === '-' ? -size : size) * 1000;
}

function zoneDay(zone: Zone, day: number): ZoneDay {
  let found = zone.days.get(day);
  if (found === undefined) {
    const start = day * DAY_MS;
    const before = askOffset(zone, start);
    const after = askOffset(zone, start + DAY_MS);
    found = { before, after, turn: before === after ? start : turnIn(zone, start, before) };
    zone.days.set(day, found);
  }
  return found;
}

/** The second at which the day that begins at `start` leaves the offset it began with. */
function turnIn(zone: Zone, start: number, before: number): number {
  let [still, changed] = [start, start + DAY_MS];
  while (changed - still > 1000) {
    const middle = still + Math.floor((changed - still) / 2000) * 1000;
    if (askOffset(zone, middle) === before) still = middle;
    else changed = middle;
  }
  return changed;
}

function offset(zone: Zone, ms: number): number {
  const { before, after, turn } = zoneDay(zone, Math.floor(ms / DAY_MS));
  return ms < turn ? before : after;
}

/** What a clock on the wall shows at the instant: `2026-11-27T08:00`. */
export function wallTime(ms: number, zone: string): string {
  return new Date(ms + offset(zoneOf(zone), ms)).toISOString().slice(0, 16);
}

/** The instant of a wall time. One that is skipped gives the first instant after the gap, a repeated one its first. */
export function instant(local: string, zone: string): number {
  return instantOf(known(local.slice(0, 10)), minuteOf(local.slice(11)) ?? Number.NaN, zone);
}

/** The same from a day number and a minute of the day. */
export function instantOf(day: number, minute: number, zone: string): number {
  const rules = zoneOf(zone);
  const wall = day * DAY_MS + minute * MINUTE_MS;
  if (Number.isNaN(wall)) throw new RangeError('not a wall time');
  // Offsets lie within a day of UTC: these two are what was before and what comes after a change nearby.
  const before = offset(rules, wall - DAY_MS);
  const after = offset(rules, wall + DAY_MS);
  if (before === after) return wall - before;
  const turn = turnBetween(rules, wall - DAY_MS, wall + DAY_MS);
  if (wall - before < turn) return wall - before;
  return Math.max(wall - after, turn);
}

function turnBetween(zone: Zone, from: number, to: number): number {
  for (let day = Math.floor(from / DAY_MS); day * DAY_MS <= to; day++) {
    const { before, after, turn } = zoneDay(zone, day);
    if (before !== after) return turn;
  }
  return to;
}
