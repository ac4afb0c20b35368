/** A reminder as a form: what the editor holds while somebody types, and the groups that it saves.
 *  Pure: no clock, no store. Problems name a field and a message key; the words are the catalogue's. */
import type { Json } from '../offline/model';
import type { Category, Criticality, Day, Reminder, Rule } from './model';
import { clockOf, dayNumber, DAYS, minuteOf } from './time';

/** How it comes back. `rule` is an RRULE that none of the plain choices can say. */
export const REPEATS = [
  'once',
  'weekly',
  'interval',
  'month_day',
  'month_weekday',
  'yearly',
  'rule',
] as const;
export type Repeat = (typeof REPEATS)[number];

export const WEEKDAYS: readonly Day[] = DAYS.slice(0, 5);
/** First to fourth, and the last. */
export const ORDINALS = [1, 2, 3, 4, -1] as const;
export type Ordinal = (typeof ORDINALS)[number];

export interface ReminderForm {
  title: string;
  category: string;
  label: string;
  symbol: string;
  note: string;
  zone: string;
  repeat: Repeat;
  /** The day of `once`. */
  date: string;
  /** Start times; `once` uses the first. */
  times: string[];
  minutes: number;
  days: Day[];
  everyWeeks: number;
  interval: { hours: number; minutes: number; from: string; to: string };
  /** 1–31, or -1: the last day of the month. */
  monthDay: number;
  ordinal: Ordinal;
  weekday: Day;
  /** Month and day of `yearly`, `12-24`. */
  yearDay: string;
  rrule: string;
  start: string;
  /** Empty: no end. */
  end: string;
  except: string[];
  exceptAt: string[];
  pause: { from: string; to?: string }[];
  checkable: boolean;
  grace: number | null;
  criticality: Criticality;
  ring: { start: boolean; again: boolean; before: number | null };
}

/** What a category is usually like: its picture, its length, and whether somebody answers. */
export const USUAL: Record<
  Category,
  { symbol: string; minutes: number; checkable: boolean; criticality: Criticality; time: string }
> = {
  meal: { symbol: 'meal', minutes: 30, checkable: true, criticality: 'important', time: '12:00' },
  medication: {
    symbol: 'medication',
    minutes: 0,
    checkable: true,
    criticality: 'critical',
    time: '08:00',
  },
  movement: {
    symbol: 'walk',
    minutes: 30,
    checkable: true,
    criticality: 'normal',
    time: '14:00',
  },
  rest: { symbol: 'rest', minutes: 45, checkable: false, criticality: 'normal', time: '13:00' },
  sleep: {
    symbol: 'sleep',
    minutes: 540,
    checkable: false,
    criticality: 'important',
    time: '22:00',
  },
  meeting: {
    symbol: 'meeting',
    minutes: 60,
    checkable: false,
    criticality: 'important',
    time: '10:00',
  },
  hygiene: {
    symbol: 'shower',
    minutes: 30,
    checkable: true,
    criticality: 'normal',
    time: '07:30',
  },
  cleaning: {
    symbol: 'cleaning',
    minutes: 30,
    checkable: true,
    criticality: 'normal',
    time: '15:00',
  },
  other: { symbol: '', minutes: 30, checkable: true, criticality: 'normal', time: '15:00' },
};

export function blankForm(
  category: Category,
  { zone, date }: { zone: string; date: string },
): ReminderForm {
  const usual = USUAL[category];
  return {
    title: '',
    category,
    label: '',
    symbol: usual.symbol,
    note: '',
    zone,
    repeat: 'weekly',
    date,
    times: [usual.time],
    minutes: usual.minutes,
    days: [...DAYS],
    everyWeeks: 1,
    interval: { hours: 2, minutes: 0, from: '08:00', to: '20:00' },
    monthDay: Number(date.slice(8, 10)),
    ordinal: 1,
    weekday: 'mon',
    yearDay: date.slice(5),
    rrule: 'FREQ=MONTHLY;BYMONTHDAY=1',
    start: date,
    end: '',
    except: [],
    exceptAt: [],
    pause: [],
    checkable: usual.checkable,
    grace: null,
    criticality: usual.criticality,
    ring: { start: true, again: true, before: null },
  };
}

/** The form with another category: what nobody has changed by hand follows the category's habits. */
export function withCategory(form: ReminderForm, category: Category): ReminderForm {
  const before = USUAL[form.category as Category] as (typeof USUAL)[Category] | undefined;
  const usual = USUAL[category];
  const follows = (key: 'symbol' | 'minutes' | 'checkable' | 'criticality'): boolean =>
    before === undefined || form[key] === before[key];
  return {
    ...form,
    category,
    symbol: follows('symbol') ? usual.symbol : form.symbol,
    minutes: follows('minutes') ? usual.minutes : form.minutes,
    checkable: follows('checkable') ? usual.checkable : form.checkable,
    criticality: follows('criticality') ? usual.criticality : form.criticality,
  };
}

// ───────────────────────────────────────────────────────────── reminder → form

export function formOf(reminder: Reminder, today: string): ReminderForm {
  const { rule } = reminder;
  return {
    ...blankForm('other', { zone: rule.zone, date: today }),
    title: reminder.title,
    category: reminder.category,
    label: reminder.label,
    symbol: reminder.symbol,
    note: reminder.note,
    minutes: reminder.minutes,
    checkable: reminder.checkable,
    grace: reminder.grace,
    criticality: reminder.criticality,
    ring: { ...reminder.ring },
    except: [...(rule.except ?? [])],
    exceptAt: [...(rule.except_at ?? [])],
    pause: (rule.pause ?? []).map((pause) => ({ ...pause })),
    ...whenOf(rule),
  };
}

function whenOf(rule: Rule): Partial<ReminderForm> {
  switch (rule.kind) {
    case 'once':
      return { repeat: 'once', date: rule.at.slice(0, 10), times: [rule.at.slice(11, 16)] };
    case 'weekly':
      return {
        repeat: 'weekly',
        days: [...rule.days],
        times: [...rule.times],
        everyWeeks: rule.every ?? 1,
        start: rule.start,
        end: rule.end ?? '',
      };
    case 'interval': {
      const { hours, minutes } = durationOf(rule.every);
      return {
        repeat: 'interval',
        interval: { hours, minutes, from: rule.from, to: rule.to },
        start: rule.start,
        end: rule.end ?? '',
      };
    }
    case 'rrule':
      return {
        ...patternOf(rule.rrule),
        rrule: rule.rrule,
        times: [...rule.times],
        start: rule.start,
        end: rule.end ?? '',
      };
  }
}

const RRULE_DAYS: Record<string, Day> = {
  MO: 'mon',
  TU: 'tue',
  WE: 'wed',
  TH: 'thu',
  FR: 'fri',
  SA: 'sat',
  SU: 'sun',
};

/** The plain choice that says the same as the RRULE, or `rule`: shown as it is, never guessed. */
export function patternOf(rrule: string): Partial<ReminderForm> {
  const monthDay = /^FREQ=MONTHLY;BYMONTHDAY=(-1|[1-9]|[12]\d|3[01])$/.exec(rrule);
  if (monthDay) return { repeat: 'month_day', monthDay: Number(monthDay[1]) };

  const weekday = /^FREQ=MONTHLY;BYDAY=(-1|[1-4])(MO|TU|WE|TH|FR|SA|SU)$/.exec(rrule);
  if (weekday) {
    return {
      repeat: 'month_weekday',
      ordinal: Number(weekday[1]) as Ordinal,
      weekday: RRULE_DAYS[weekday[2] as string] as Day,
    };
  }

  const yearly = /^FREQ=YEARLY;BYMONTH=([1-9]|1[0-2]);BYMONTHDAY=([1-9]|[12]\d|3[01])$/.exec(rrule);
  if (yearly) {
    return { repeat: 'yearly', yearDay: `${twoDigits(yearly[1])}-${twoDigits(yearly[2])}` };
  }
  return { repeat: 'rule' };
}

function twoDigits(number: string | undefined): string {
  return (number ?? '').padStart(2, '0');
}

/** `PT1H30M` as hours and minutes; what it cannot read becomes 0 and is refused on saving. */
function durationOf(value: string): { hours: number; minutes: number } {
  const parts = /^PT(?:(\d+)H)?(?:(\d+)M)?$/.exec(value);
  return { hours: Number(parts?.[1] ?? 0), minutes: Number(parts?.[2] ?? 0) };
}

// ───────────────────────────────────────────────────────────── form → reminder

/** The rule that the form says. Only a form without problems gives a valid one. */
export function ruleOf(form: ReminderForm): Rule {
  const limits = {
    zone: form.zone,
    ...(form.except.length > 0 && { except: [...form.except].sort() }),
    ...(form.exceptAt.length > 0 && { except_at: [...form.exceptAt].sort() }),
    ...(form.pause.length > 0 && { pause: form.pause.map((pause) => ({ ...pause })) }),
  };
  const span = { start: form.start, ...(form.end && { end: form.end }) };
  const times = [...new Set(form.times)].sort();
  switch (form.repeat) {
    case 'once':
      return { kind: 'once', at: `${form.date}T${form.times[0] ?? ''}`, ...limits };
    case 'weekly':
      return {
        kind: 'weekly',
        days: DAYS.filter((day) => form.days.includes(day)),
        times,
        ...(form.everyWeeks > 1 && { every: form.everyWeeks }),
        ...span,
        ...limits,
      };
    case 'interval': {
      const { hours, minutes, from, to } = form.interval;
      const every = `PT${hours ? `${String(hours)}H` : ''}${minutes ? `${String(minutes)}M` : ''}`;
      return { kind: 'interval', every, from, to, ...span, ...limits };
    }
    case 'month_day':
    case 'month_weekday':
    case 'yearly':
    case 'rule':
      return { kind: 'rrule', rrule: rruleOf(form), times, ...span, ...limits };
  }
}

export function rruleOf(form: ReminderForm): string {
  switch (form.repeat) {
    case 'month_day':
      return `FREQ=MONTHLY;BYMONTHDAY=${String(form.monthDay)}`;
    case 'month_weekday': {
      const day = form.weekday.slice(0, 2).toUpperCase();
      return `FREQ=MONTHLY;BYDAY=${String(form.ordinal)}${day}`;
    }
    case 'yearly': {
      const [month = '', day = ''] = form.yearDay.split('-');
      return `FREQ=YEARLY;BYMONTH=${String(Number(month))};BYMONTHDAY=${String(Number(day))}`;
    }
    default:
      return form.rrule.trim();
  }
}

/** The groups of the reminder's record, as docs/records.md names them. */
export function groupsOf(form: ReminderForm): Record<string, Json> {
  return {
    title: form.title.trim(),
    category: form.category,
    label: form.category === 'other' ? form.label.trim() : '',
    symbol: form.symbol,
    note: form.note.trim(),
    minutes: form.minutes,
    checkable: form.checkable,
    grace: form.grace,
    criticality: form.criticality,
    ring: { ...form.ring },
    rule: ruleOf(form) as unknown as Json,
    deleted: false,
  };
}

/** Only the groups that differ: two people who change different things of one reminder both win. */
export function changedGroups(
  before: Record<string, Json>,
  after: Record<string, Json>,
): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(after).filter(([group, value]) => !same(before[group], value)),
  );
}

export function isChanged(before: ReminderForm, after: ReminderForm): boolean {
  return Object.keys(changedGroups(groupsOf(before), groupsOf(after))).length > 0;
}

/** Equal as JSON, whatever the order of keys: a rule read back from the store is the rule that was saved. */
function same(a: Json | undefined, b: Json | undefined): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: Json | undefined): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** The form as the reminder it would become, for the preview. */
export function reminderOf(form: ReminderForm, id: string): Reminder {
  const groups = groupsOf(form);
  return {
    id,
    title: groups['title'] as string,
    category: form.category,
    label: groups['label'] as string,
    symbol: form.symbol,
    note: groups['note'] as string,
    minutes: form.minutes,
    checkable: form.checkable,
    grace: form.grace,
    criticality: form.criticality,
    ring: { ...form.ring },
    rule: ruleOf(form),
  };
}

// ───────────────────────────────────────────────────────────── problems

export type Field =
  | 'title'
  | 'label'
  | 'note'
  | 'date'
  | 'times'
  | 'minutes'
  | 'days'
  | 'interval'
  | 'month_day'
  | 'year_day'
  | 'rrule'
  | 'start'
  | 'end'
  | 'pause'
  | 'grace'
  | 'before';

export interface Problem {
  field: Field;
  /** Completes the message key `supporter.problem.<code>`. */
  code: string;
  params?: Record<string, string | number>;
}

const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Everything that stands in the way of saving, in the order of the form; each says what to do. */
export function problemsOf(form: ReminderForm): Problem[] {
  return [
    ...problemsOfWords(form),
    ...problemsOfTime(form),
    ...problemsOfSpan(form),
    ...problemsOfRinging(form),
  ];
}

export function problemAt(problems: readonly Problem[], field: Field): Problem | null {
  return problems.find((problem) => problem.field === field) ?? null;
}

function problemsOfWords({ title, category, label, note }: ReminderForm): Problem[] {
  const problems: Problem[] = [];
  if (!title.trim()) problems.push({ field: 'title', code: 'title_empty' });
  if (title.trim().length > 80)
    problems.push({ field: 'title', code: 'title_long', params: { max: 80 } });
  if (category === 'other' && !label.trim()) problems.push({ field: 'label', code: 'label_empty' });
  if (label.trim().length > 40)
    problems.push({ field: 'label', code: 'label_long', params: { max: 40 } });
  if (note.trim().length > 400)
    problems.push({ field: 'note', code: 'note_long', params: { max: 400 } });
  return problems;
}

function problemsOfTime(form: ReminderForm): Problem[] {
  const problems: Problem[] = [];
  if (form.repeat === 'interval') {
    problems.push(...problemsOfInterval(form.interval));
  } else {
    problems.push(...problemsOfTimes(form));
  }
  if (!Number.isInteger(form.minutes) || form.minutes < 0 || form.minutes > 1440) {
    problems.push({ field: 'minutes', code: 'minutes_range' });
  }
  switch (form.repeat) {
    case 'once':
      if (!isDate(form.date)) problems.push({ field: 'date', code: 'date_empty' });
      break;
    case 'weekly':
      if (form.days.length === 0) problems.push({ field: 'days', code: 'days_empty' });
      break;
    case 'month_day':
      if (!(form.monthDay === -1 || (form.monthDay >= 1 && form.monthDay <= 31))) {
        problems.push({ field: 'month_day', code: 'month_day_range' });
      }
      break;
    case 'yearly':
      if (!isYearDay(form.yearDay)) problems.push({ field: 'year_day', code: 'year_day_wrong' });
      break;
    case 'rule':
      if (!/^FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;|$)/.test(form.rrule.trim())) {
        problems.push({ field: 'rrule', code: 'rrule_unreadable' });
      }
      break;
    default:
      break;
  }
  return problems;
}

function problemsOfTimes({ repeat, times, minutes }: ReminderForm): Problem[] {
  const used = repeat === 'once' ? times.slice(0, 1) : times;
  if (used.length === 0 || used.some((time) => !isTime(time))) {
    return [{ field: 'times', code: 'time_empty' }];
  }
  const twice = used.find((time, index) => used.indexOf(time) !== index);
  if (twice) return [{ field: 'times', code: 'time_twice', params: { time: twice } }];
  const close = overlapping(used, minutes);
  if (close) return [{ field: 'times', code: 'times_overlap', params: close }];
  return [];
}

/** The first pair of times where one has not ended when the next begins. */
function overlapping(
  times: readonly string[],
  minutes: number,
): { first: string; second: string } | null {
  const sorted = [...times].sort();
  for (const [index, second] of sorted.entries()) {
    const first = sorted[index - 1];
    if (first && minutesOf(second) - minutesOf(first) < minutes) return { first, second };
  }
  return null;
}

function problemsOfInterval({ hours, minutes, from, to }: ReminderForm['interval']): Problem[] {
  if (!isTime(from) || !isTime(to)) return [{ field: 'interval', code: 'time_empty' }];
  const every = hours * 60 + minutes;
  if (!Number.isInteger(every) || every < 15 || every >= 1440) {
    return [{ field: 'interval', code: 'interval_range' }];
  }
  return [];
}

function problemsOfSpan({ repeat, start, end, pause }: ReminderForm): Problem[] {
  const problems: Problem[] = [];
  if (repeat !== 'once') {
    if (!isDate(start)) problems.push({ field: 'start', code: 'start_empty' });
    if (end && !isDate(end)) problems.push({ field: 'end', code: 'date_empty' });
    if (end && isDate(end) && end < start)
      problems.push({ field: 'end', code: 'end_before_start' });
  }
  const wrong = pause.some(
    ({ from, to }) => !isDate(from) || (to !== undefined && (!isDate(to) || to < from)),
  );
  if (wrong) problems.push({ field: 'pause', code: 'pause_backwards' });
  return problems;
}

function problemsOfRinging({ grace, ring }: ReminderForm): Problem[] {
  const problems: Problem[] = [];
  if (grace !== null && (!Number.isInteger(grace) || grace < 0 || grace > 1440)) {
    problems.push({ field: 'grace', code: 'minutes_range' });
  }
  if (
    ring.before !== null &&
    (!Number.isInteger(ring.before) || ring.before < 1 || ring.before > 1440)
  ) {
    problems.push({ field: 'before', code: 'before_range' });
  }
  return problems;
}

/** A date that exists: 2026-02-29 does not. */
export function isDate(value: string): boolean {
  return dayNumber(value) !== null;
}

function isTime(value: string): boolean {
  return minuteOf(value) !== null;
}

function isYearDay(value: string): boolean {
  const [month = 0, day = 0] = value.split('-').map(Number);
  return day >= 1 && day <= (DAYS_OF_MONTH[month - 1] ?? 0);
}

// ───────────────────────────────────────────────────────────── small arithmetic of the clock

/** Minutes after midnight; what is no clock time counts as midnight (the form says so elsewhere). */
export function minutesOf(time: string): number {
  return minuteOf(time) ?? 0;
}

/** The wall time some minutes later, round the clock. */
export function laterBy(time: string, minutes: number): string {
  return clockOf((((minutesOf(time) + minutes) % 1440) + 1440) % 1440);
}

/** Minutes from one wall time to another, forward over midnight; the same time is a moment, not a day. */
export function lengthBetween(from: string, to: string): number {
  return (minutesOf(to) - minutesOf(from) + 1440) % 1440;
}

/** The first free time after the last one, for "add a time": four hours on, before midnight if it can be. */
export function nextTime(times: readonly string[]): string {
  const last = [...times]
    .filter((time) => isTime(time))
    .sort()
    .at(-1);
  if (!last) return '08:00';
  const later = laterBy(last, 240);
  return later > last ? later : laterBy(last, 60);
}

/** Whole hours without food from the last meal of an evening to the first of the next morning, per evening.
 *  Takes each day's meals as instants (ms), ordered; a day without meals gives null. */
export function nightFasts(
  mealsByDay: readonly (readonly { start: number; end: number }[])[],
): (number | null)[] {
  return mealsByDay.slice(0, -1).map((meals, index) => {
    const last = meals.at(-1);
    const first = mealsByDay[index + 1]?.[0];
    return last && first ? Math.round((first.start - last.end) / 60_000) : null;
  });
}
