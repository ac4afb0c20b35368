/** When a rule rings. Pure; the same corners as the server, held together by spec/vectors/recurrence.json.
 *  docs/rules.md says in words what is decided here.
 */
import type { Day, Occurrence, Rule } from './model';
import { daysOf, readRrule, type Rrule, RruleRefused } from './rrule';
import {
  clockOf,
  DAY_MS,
  dateOf,
  dayNumber,
  DAYS,
  instantOf,
  isZone,
  MINUTE_MS,
  minuteOf,
  wallTime,
  weekdayIndex,
} from './time';

export interface RuleProblem {
  /** The rule's field at fault. */
  field: string;
  code: RuleProblemCode;
}
export type RuleProblemCode =
  | 'malformed'
  | 'missing'
  | 'unknown'
  | 'empty'
  | 'backwards'
  | 'too_long'
  | 'too_many'
  | 'not_supported';

/** An occurrence with what silences it: the screens show what a pause hides, nothing rings it. */
export interface Scheduled extends Occurrence {
  /** The day it belongs to: for the hours after midnight of an interval, the day before. */
  day: string;
  paused: boolean;
}

// ───────────────────────────────────────────────────────────── what others ask

/** The occurrences with `from ≤ at < to` (ms), ordered by `at`. Throws RangeError for a rule that `checkRule` refuses. */
export function occurrences(rule: Rule, from: number, to: number): Occurrence[] {
  return scheduled(rule, from, to)
    .filter((occurrence) => !occurrence.paused)
    .map(({ local, at }) => ({ local, at }));
}

/** The same, with those that the rule's own pauses silence. */
export function scheduled(rule: Rule, from: number, to: number): Scheduled[] {
  const plan = planOf(rule);
  const found: Scheduled[] = [];
  if (!(from < to)) return found;
  // An occurrence fires within two days of its day: a zone's offset, a skipped day, a night's interval.
  const first = Math.max(plan.start, Math.floor(from / DAY_MS) - 2, FIRST_DAY);
  const last = Math.min(plan.end, Math.floor(to / DAY_MS) + 2, LAST_DAY);
  for (const day of plan.days(first, last)) {
    if (plan.except.has(day)) continue;
    const paused = plan.pause.some((pause) => pause.from <= day && day <= pause.to);
    for (const { local, at } of plan.timesOf(day)) {
      if (at < from || at >= to || at > plan.untilAt || plan.exceptAt.has(local)) continue;
      found.push({ local, at, day: dateOf(day), paused });
    }
  }
  return found.sort((a, b) => a.at - b.at || (a.local < b.local ? -1 : 1));
}

/** Says what is wrong with a rule, or null when nothing is. Takes anything: rules come from outside. */
export function checkRule(value: unknown): RuleProblem | null {
  try {
    readRule(value);
    return null;
  } catch (error) {
    if (error instanceof RuleRefused) return error.problem;
    throw error;
  }
}

// ───────────────────────────────────────────────────────────── a rule, ready to use

interface Plan {
  start: number;
  end: number;
  /** The days it selects from `first` to `last`, in order. */
  days: (first: number, last: number) => number[];
  /** What happens on one of its days, in order of `at`. */
  timesOf: (day: number) => Occurrence[];
  untilAt: number;
  except: ReadonlySet<number>;
  exceptAt: ReadonlySet<string>;
  pause: readonly { from: number; to: number }[];
}

// Within these every wall time of every zone has an instant that the server can hold, too.
const FIRST_DAY = -719_160;
const LAST_DAY = 2_932_890;

/** What a rule says, or why it says nothing: a screen asks for every rule at each change. */
const plans = new WeakMap<Rule, Plan | RuleRefused>();

function planOf(rule: Rule): Plan {
  let plan = plans.get(rule);
  if (plan === undefined) {
    plan = planOrRefusal(rule);
    plans.set(rule, plan);
  }
  if (plan instanceof RuleRefused) throw plan;
  return plan;
}

function planOrRefusal(rule: Rule): Plan | RuleRefused {
  try {
    return readRule(rule);
  } catch (error) {
    if (error instanceof RuleRefused) return error;
    throw error;
  }
}

function eachDay(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

function weeklyDays(weekdays: ReadonlySet<number>, every: number, start: number): Plan['days'] {
  // Day -3 was a Monday: ISO weeks begin there.
  const week = (day: number) => Math.floor((day + 3) / 7);
  return (first, last) =>
    eachDay(first, last).filter(
      (day) => weekdays.has(weekdayIndex(day)) && (week(day) - week(start)) % every === 0,
    );
}

function timesOn(minutes: readonly number[], zone: string): Plan['timesOf'] {
  return (day) =>
    minutes.map((minute) => ({
      local: `${dateOf(day)}T${clockOf(minute)}`,
      at: instantOf(day, minute, zone),
    }));
}

/** Elapsed time from the instant at which `from` fired; a wall time that comes twice in a night rings once. */
function interval(every: number, from: number, to: number, zone: string): Plan['timesOf'] {
  return (day) => {
    const start = instantOf(day, from, zone);
    const end = instantOf(to < from ? day + 1 : day, to, zone);
    const found = new Map([[`${dateOf(day)}T${clockOf(from)}`, start]]);
    for (let at = start + every * MINUTE_MS; at <= end; at += every * MINUTE_MS) {
      const local = wallTime(at, zone);
      if (!found.has(local)) found.set(local, at);
    }
    return [...found].map(([local, at]) => ({ local, at }));
  };
}

// ───────────────────────────────────────────────────────────── reading a rule

class RuleRefused extends RangeError {
  readonly problem: RuleProblem;

  constructor(problem: RuleProblem) {
    super(`rule refused: ${problem.field} ${problem.code}`);
    this.problem = problem;
  }
}

function refuse(field: string, code: RuleProblemCode): never {
  throw new RuleRefused({ field, code });
}

type Fields = Record<string, unknown>;

const LIMITS = ['zone', 'kind', 'except', 'except_at', 'pause'];
const FIELDS: Record<Rule['kind'], readonly string[]> = {
  once: [...LIMITS, 'at'],
  weekly: [...LIMITS, 'days', 'times', 'every', 'start', 'end'],
  rrule: [...LIMITS, 'rrule', 'times', 'start', 'end'],
  interval: [...LIMITS, 'every', 'from', 'to', 'start', 'end'],
};
const MOST_PAUSES = 1000;
const EARLIEST = '1900-01-01';

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readRule(value: unknown): Plan {
  if (!isObject(value)) refuse('rule', 'malformed');
  const kind = readText(value, 'kind');
  if (!Object.hasOwn(FIELDS, kind)) refuse('kind', 'unknown');
  const allowed = FIELDS[kind as Rule['kind']];
  for (const name of Object.keys(value)) if (!allowed.includes(name)) refuse(name, 'unknown');
  const zone = readText(value, 'zone');
  if (!isZone(zone)) refuse('zone', 'unknown');
  const limits = {
    except: new Set(readList(value, 'except', []).map((day) => toDay('except', day))),
    exceptAt: new Set(readList(value, 'except_at', []).map((at) => toWallTime('except_at', at))),
    pause: readPauses(value),
  };
  return { ...readKind(kind as Rule['kind'], value, zone), ...limits };
}

type Selection = Omit<Plan, 'except' | 'exceptAt' | 'pause'>;

function readKind(kind: Rule['kind'], fields: Fields, zone: string): Selection {
  if (kind === 'once') return readOnce(fields, zone);
  const start = readStart(fields);
  const end = readEnd(fields, start);
  switch (kind) {
    case 'weekly': {
      const days = weeklyDays(readWeekdays(fields), readEvery(fields), start);
      return { start, end, days, timesOf: timesOn(readTimes(fields), zone), untilAt: Infinity };
    }
    case 'rrule': {
      const rrule = readRruleField(fields, start);
      const days = (first: number, last: number) => daysOf(rrule, start, first, last);
      const untilAt = rrule.untilAt ?? Infinity;
      return { start, end, days, timesOf: timesOn(readTimes(fields), zone), untilAt };
    }
    case 'interval': {
      const [from, to] = [readClock(fields, 'from'), readClock(fields, 'to')];
      const timesOf = interval(readStep(fields), from, to, zone);
      return { start, end, days: eachDay, timesOf, untilAt: Infinity };
    }
  }
}

function readOnce(fields: Fields, zone: string): Selection {
  const at = toWallTime('at', need(fields, 'at'));
  if (at < EARLIEST) refuse('at', 'malformed');
  const day = toDay('at', at.slice(0, 10));
  const timesOf = timesOn([minuteOf(at.slice(11)) ?? 0], zone);
  return { start: day, end: day, days: eachDay, timesOf, untilAt: Infinity };
}

// ───────────────────────────────────────────────────────────── fields

function need(fields: Fields, field: string): unknown {
  if (!Object.hasOwn(fields, field)) refuse(field, 'missing');
  return fields[field];
}

function readText(fields: Fields, field: string): string {
  const value = need(fields, field);
  return typeof value === 'string' ? value : refuse(field, 'malformed');
}

function readList(fields: Fields, field: string, absent?: []): unknown[] {
  if (absent !== undefined && !Object.hasOwn(fields, field)) return absent;
  const value = need(fields, field);
  return Array.isArray(value) ? (value as unknown[]) : refuse(field, 'malformed');
}

function toDay(field: string, value: unknown): number {
  const day = typeof value === 'string' ? dayNumber(value) : null;
  return day ?? refuse(field, 'malformed');
}

function toWallTime(field: string, value: unknown): string {
  if (typeof value !== 'string' || value[10] !== 'T') refuse(field, 'malformed');
  toDay(field, value.slice(0, 10));
  toClock(field, value.slice(11));
  return value;
}

function toClock(field: string, value: unknown): number {
  const minute = typeof value === 'string' ? minuteOf(value) : null;
  return minute ?? refuse(field, 'malformed');
}

function readClock(fields: Fields, field: string): number {
  return toClock(field, need(fields, field));
}

function readTimes(fields: Fields): number[] {
  const times = readList(fields, 'times').map((time) => toClock('times', time));
  if (times.length === 0) refuse('times', 'empty');
  return [...new Set(times)];
}

function readWeekdays(fields: Fields): Set<number> {
  const days = readList(fields, 'days').map((name) => {
    const index = DAYS.indexOf(name as Day);
    return index < 0 ? refuse('days', 'unknown') : index;
  });
  if (days.length === 0) refuse('days', 'empty');
  return new Set(days);
}

function readEvery(fields: Fields): number {
  if (!Object.hasOwn(fields, 'every')) return 1;
  const every = fields['every'];
  const counts = typeof every === 'number' && Number.isSafeInteger(every) && every >= 1;
  return counts ? every : refuse('every', 'malformed');
}

/** `PT4H`, `PT90M`, `PT1H30M`, in minutes. */
function readStep(fields: Fields): number {
  const [whole, hours, minutes] =
    /^PT(?:(\d{1,4})H)?(?:(\d{1,5})M)?$/.exec(readText(fields, 'every')) ?? [];
  const step = Number(hours ?? 0) * 60 + Number(minutes ?? 0);
  if (whole === undefined || step === 0) refuse('every', 'malformed');
  return step < 24 * 60 ? step : refuse('every', 'too_long');
}

function readStart(fields: Fields): number {
  const start = toDay('start', need(fields, 'start'));
  return start < toDay('start', EARLIEST) ? refuse('start', 'malformed') : start;
}

function readEnd(fields: Fields, start: number): number {
  if (!Object.hasOwn(fields, 'end')) return Infinity;
  const end = toDay('end', fields['end']);
  return end < start ? refuse('end', 'backwards') : end;
}

function readPauses(fields: Fields): Plan['pause'] {
  const pauses = readList(fields, 'pause', []);
  if (pauses.length > MOST_PAUSES) refuse('pause', 'too_many');
  return pauses.map((pause) => {
    if (!isObject(pause)) refuse('pause', 'malformed');
    if (Object.keys(pause).some((name) => name !== 'from' && name !== 'to'))
      refuse('pause', 'unknown');
    if (!Object.hasOwn(pause, 'from')) refuse('pause', 'missing');
    const from = toDay('pause', pause['from']);
    const to = Object.hasOwn(pause, 'to') ? toDay('pause', pause['to']) : Infinity;
    return to < from ? refuse('pause', 'backwards') : { from, to };
  });
}

function readRruleField(fields: Fields, start: number): Rrule {
  try {
    return readRrule(readText(fields, 'rrule'), start);
  } catch (error) {
    if (error instanceof RruleRefused) refuse('rrule', error.code);
    throw error;
  }
}
