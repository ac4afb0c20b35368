/** The days that an RRULE (RFC 5545) selects. Times of day are none of its business: the rule's `times` multiply them.
 *
 *  Bounded by the window that is asked for, whatever the rule says: one that never matches costs no more than one that does.
 */
import { DAY_MS, dayNumber, weekdayIndex } from './time';

type Freq = 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY';

export interface Rrule {
  freq: Freq;
  interval: number;
  count: number | null;
  /** UNTIL as a date: the last day. */
  untilDay: number | null;
  /** UNTIL with Z: the last instant, in ms. */
  untilAt: number | null;
  /** First day of the week, 0 for a Monday. */
  wkst: number;
  byMonth: readonly number[];
  byMonthDay: readonly number[];
  byYearDay: readonly number[];
  byWeekNo: readonly number[];
  /** `nth` 0: every such weekday. */
  byDay: readonly { nth: number; weekday: number }[];
  bySetPos: readonly number[];
}

/** Why an RRULE is refused; the message names the part at fault. */
export class RruleRefused extends Error {
  readonly code: 'malformed' | 'missing' | 'unknown' | 'not_supported';

  constructor(part: string, code: RruleRefused['code']) {
    super(`${part}: ${code}`);
    this.code = code;
  }
}

// ───────────────────────────────────────────────────────────── reading

const FREQS: readonly string[] = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'];
const FINER: readonly string[] = ['HOURLY', 'MINUTELY', 'SECONDLY'];
const WEEKDAYS: readonly string[] = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const TIMES_OF_DAY: readonly string[] = ['BYHOUR', 'BYMINUTE', 'BYSECOND'];
const PARTS: readonly string[] = [
  ...['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'WKST'],
  ...['BYMONTH', 'BYMONTHDAY', 'BYYEARDAY', 'BYWEEKNO', 'BYDAY', 'BYSETPOS'],
];

/** Returns the rule, with what RFC 5545 takes from the first day filled in. Throws RruleRefused. */
export function readRrule(text: string, start: number): Rrule {
  const parts = splitParts(text);
  const freq = readFreq(parts.get('FREQ'));
  refuseContradictions(freq, parts);
  return withDefaults(
    {
      freq,
      interval: readNumber(parts, 'INTERVAL') ?? 1,
      count: readNumber(parts, 'COUNT'),
      ...readUntil(parts.get('UNTIL')),
      wkst: readWkst(parts.get('WKST')),
      byMonth: readNumbers(parts, 'BYMONTH', 12, false),
      byMonthDay: readNumbers(parts, 'BYMONTHDAY', 31),
      byYearDay: readNumbers(parts, 'BYYEARDAY', 366),
      byWeekNo: readNumbers(parts, 'BYWEEKNO', 53),
      byDay: readByDay(parts, freq),
      bySetPos: readNumbers(parts, 'BYSETPOS', 366),
    },
    start,
  );
}

function splitParts(text: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const piece of text.toUpperCase().split(';')) {
    const [name = '', value = '', ...rest] = piece.split('=');
    if (TIMES_OF_DAY.includes(name)) throw new RruleRefused(name, 'not_supported');
    if (!PARTS.includes(name)) throw new RruleRefused(name || 'rrule', 'unknown');
    if (value === '' || rest.length > 0 || parts.has(name))
      throw new RruleRefused(name, 'malformed');
    parts.set(name, value);
  }
  return parts;
}

function readFreq(value: string | undefined): Freq {
  if (value === undefined) throw new RruleRefused('FREQ', 'missing');
  if (FINER.includes(value)) throw new RruleRefused('FREQ', 'not_supported');
  if (!FREQS.includes(value)) throw new RruleRefused('FREQ', 'unknown');
  return value as Freq;
}

/** What RFC 5545 forbids, and what its readers disagree about. */
function refuseContradictions(freq: Freq, parts: Map<string, string>): void {
  const refuse = (part: string, wrong: boolean) => {
    if (parts.has(part) && wrong) throw new RruleRefused(part, 'not_supported');
  };
  const chooses = [...parts.keys()].some((name) => name.startsWith('BY') && name !== 'BYSETPOS');
  refuse('COUNT', parts.has('UNTIL'));
  refuse('BYMONTHDAY', freq === 'WEEKLY');
  refuse('BYYEARDAY', freq !== 'YEARLY');
  refuse('BYWEEKNO', freq !== 'YEARLY' || !parts.has('BYDAY'));
  refuse('BYSETPOS', freq === 'WEEKLY' || !chooses);
}

function readNumber(parts: Map<string, string>, part: string): number | null {
  const value = parts.get(part);
  if (value === undefined) return null;
  if (!/^\d{1,10}$/.test(value) || Number(value) === 0) throw new RruleRefused(part, 'malformed');
  return Number(value);
}

function readNumbers(
  parts: Map<string, string>,
  part: string,
  most: number,
  negative = true,
): number[] {
  const numbers = (parts.get(part)?.split(',') ?? []).map((value) => {
    const size = Math.abs(Number(value));
    const known = (negative ? /^[+-]?\d{1,3}$/ : /^\d{1,2}$/).test(value);
    if (!known || size < 1 || size > most) throw new RruleRefused(part, 'malformed');
    return Number(value);
  });
  return [...new Set(numbers)];
}

function readByDay(parts: Map<string, string>, freq: Freq): Rrule['byDay'] {
  const ordinals = (freq === 'MONTHLY' || freq === 'YEARLY') && !parts.has('BYWEEKNO');
  return (parts.get('BYDAY')?.split(',') ?? []).map((value) => {
    const [, nth, name = ''] = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(value) ?? [];
    const weekday = WEEKDAYS.indexOf(name);
    const size = Math.abs(Number(nth ?? 1));
    if (weekday < 0 || size < 1 || size > 53) throw new RruleRefused('BYDAY', 'malformed');
    if (nth !== undefined && !ordinals) throw new RruleRefused('BYDAY', 'not_supported');
    return { nth: Number(nth ?? 0), weekday };
  });
}

function readWkst(value: string | undefined): number {
  const wkst = WEEKDAYS.indexOf(value ?? 'MO');
  if (wkst < 0) throw new RruleRefused('WKST', 'malformed');
  return wkst;
}

function readUntil(value: string | undefined): Pick<Rrule, 'untilDay' | 'untilAt'> {
  if (value === undefined) return { untilDay: null, untilAt: null };
  const [, y, m, d, time, h, min, s] =
    /^(\d{4})(\d\d)(\d\d)(T([01]\d|2[0-3])([0-5]\d)([0-5]\d)Z)?$/.exec(value) ?? [];
  const day = dayNumber(`${y}-${m}-${d}`);
  if (day === null) throw new RruleRefused('UNTIL', 'malformed');
  if (time === undefined) return { untilDay: day, untilAt: null };
  const seconds = (Number(h) * 60 + Number(min)) * 60 + Number(s);
  return { untilDay: null, untilAt: day * DAY_MS + seconds * 1000 };
}

function withDefaults(rule: Rrule, start: number): Rrule {
  const chosen = [rule.byWeekNo, rule.byYearDay, rule.byMonthDay, rule.byDay];
  if (rule.freq === 'DAILY' || chosen.some((part) => part.length > 0)) return rule;
  if (rule.freq === 'WEEKLY') return { ...rule, byDay: [{ nth: 0, weekday: weekdayIndex(start) }] };
  const { month, monthDay } = civil(start);
  const byMonth = rule.freq === 'YEARLY' && rule.byMonth.length === 0 ? [month] : rule.byMonth;
  return { ...rule, byMonth, byMonthDay: [monthDay] };
}

// ───────────────────────────────────────────────────────────── the calendar

interface Civil {
  year: number;
  month: number;
  monthDay: number;
}

function civil(day: number): Civil {
  const date = new Date(day * DAY_MS);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    monthDay: date.getUTCDate(),
  };
}

/** The first day of a month; month 13 is the next year's January. */
function monthStart(year: number, month: number): number {
  // Beyond what a Date can hold: no day comes after it.
  if (year > 9999) return Infinity;
  return new Date(0).setUTCFullYear(year, month - 1, 1) / DAY_MS;
}

/** Where week 1 of the year begins: the first week that has four days in it. */
function weekOne(year: number, wkst: number): number {
  const fourth = monthStart(year, 1) + 3;
  return fourth - ((weekdayIndex(fourth) - wkst + 7) % 7);
}

/** What a rule's interval counts: the unit that holds a day, and where a unit begins. */
interface Unit {
  of: (day: number, wkst: number) => number;
  start: (unit: number, wkst: number) => number;
}

const UNITS: Record<Freq, Unit> = {
  DAILY: { of: (day) => day, start: (unit) => unit },
  WEEKLY: {
    // Day -3 was a Monday.
    of: (day, wkst) => Math.floor((day + 3 - wkst) / 7),
    start: (unit, wkst) => unit * 7 - 3 + wkst,
  },
  MONTHLY: {
    of: (day) => {
      const { year, month } = civil(day);
      return year * 12 + month - 1;
    },
    start: (unit) => monthStart(Math.floor(unit / 12), (unit % 12) + 1),
  },
  YEARLY: { of: (day) => civil(day).year, start: (unit) => monthStart(unit, 1) },
};

// ───────────────────────────────────────────────────────────── selecting

/** The days from `first` to `last`, both included, that the rule selects when it begins on `start`. In order. */
export function daysOf(rule: Rrule, start: number, first: number, last: number): number[] {
  const end = Math.min(last, rule.untilDay ?? last, countedOut(rule, start, last));
  return select(rule, start, first, end);
}

function select(rule: Rrule, start: number, first: number, last: number): number[] {
  const unit = UNITS[rule.freq];
  const from = Math.max(first, start);
  const base = unit.of(start, rule.wkst);
  const skipped = Math.ceil((unit.of(from, rule.wkst) - base) / rule.interval);
  const days: number[] = [];
  for (let at = base + skipped * rule.interval; ; at += rule.interval) {
    const begins = unit.start(at, rule.wkst);
    if (begins > last) return days;
    const ends = unit.start(at + 1, rule.wkst) - 1;
    if (rule.bySetPos.length === 0) {
      pushFitting(days, rule, Math.max(begins, from), Math.min(ends, last));
    } else {
      days.push(...positions(rule, begins, ends).filter((day) => day >= from && day <= last));
    }
  }
}

function pushFitting(days: number[], rule: Rrule, first: number, last: number): void {
  for (let day = first; day <= last; day++) if (fits(rule, day)) days.push(day);
}

/** BYSETPOS counts in the whole unit, also in what lies before `start` or outside the window. */
function positions(rule: Rrule, begins: number, ends: number): number[] {
  const all: number[] = [];
  pushFitting(all, rule, begins, ends);
  const chosen = rule.bySetPos.map((at) => all.at(at > 0 ? at - 1 : at));
  return [...new Set(chosen)].filter((day) => day !== undefined).sort((a, b) => a - b);
}

const usedUp = new WeakMap<Rrule, Map<number, number>>();

/** The day on which COUNT is used up; `last` or later when that is not before `last`. Counted once a year. */
function countedOut(rule: Rrule, start: number, last: number): number {
  // A rule selects a day once at most: a COUNT beyond the days there are does not matter.
  if (rule.count === null || rule.count > last - start) return last;
  const { year } = civil(last);
  const years = usedUp.get(rule) ?? new Map<number, number>();
  usedUp.set(rule, years);
  let day = years.get(year);
  if (day === undefined) {
    day = select(rule, start, start, monthStart(year + 1, 1) - 1)[rule.count - 1] ?? Infinity;
    years.set(year, day);
  }
  return day;
}

function fits(rule: Rrule, day: number): boolean {
  if (rule.byDay.length > 0 && !fitsWeekday(rule, day)) return false;
  if (rule.byMonth.length === 0 && rule.byMonthDay.length === 0 && rule.byYearDay.length === 0) {
    return rule.byWeekNo.length === 0 || fitsWeek(rule, day);
  }
  const { year, month, monthDay } = civil(day);
  return (
    (rule.byMonth.length === 0 || rule.byMonth.includes(month)) &&
    fitsEither(rule.byMonthDay, monthDay, monthStart(year, month + 1) - day) &&
    fitsEither(rule.byYearDay, day - monthStart(year, 1) + 1, monthStart(year + 1, 1) - day) &&
    (rule.byWeekNo.length === 0 || fitsWeek(rule, day))
  );
}

/** Counted from the start (1, 2, …) or from the end (-1, -2, …). */
function fitsEither(numbers: readonly number[], fromStart: number, fromEnd: number): boolean {
  return numbers.length === 0 || numbers.includes(fromStart) || numbers.includes(-fromEnd);
}

function fitsWeek(rule: Rrule, day: number): boolean {
  const weekStart = day - ((weekdayIndex(day) - rule.wkst + 7) % 7);
  // A week belongs to the year that has its fourth day.
  const { year } = civil(weekStart + 3);
  const number = (weekStart - weekOne(year, rule.wkst)) / 7 + 1;
  const left = (weekOne(year + 1, rule.wkst) - weekStart) / 7;
  return fitsEither(rule.byWeekNo, number, left);
}

function fitsWeekday(rule: Rrule, day: number): boolean {
  const today = weekdayIndex(day);
  return rule.byDay.some(({ nth, weekday }) => {
    if (weekday !== today) return false;
    if (nth === 0) return true;
    // An ordinal counts in the year only when a yearly rule names no months.
    const { year, month } = civil(day);
    const inYear = rule.freq === 'YEARLY' && rule.byMonth.length === 0;
    const begins = inYear ? monthStart(year, 1) : monthStart(year, month);
    const ends = inYear ? monthStart(year + 1, 1) - 1 : monthStart(year, month + 1) - 1;
    const place = nth > 0 ? Math.floor((day - begins) / 7) + 1 : -Math.floor((ends - day) / 7) - 1;
    return place === nth;
  });
}
