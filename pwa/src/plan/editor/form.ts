/** A reminder as a form: what the editor holds while somebody types, and the groups that it saves. Pure: no clock, no store. */
import type { Json } from '../../offline/model';
import type { Clip } from '../clip';
import type { Category, Criticality, Day, Reminder } from '../model';
import { DAYS } from '../time';
import { ruleOf, whenOf } from './rule';

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
  /** What somebody has recorded of it. */
  clip: Clip | null;
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
    clip: null,
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

export function formOf(reminder: Reminder, today: string, clip: Clip | null = null): ReminderForm {
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
    clip,
    except: [...(rule.except ?? [])],
    exceptAt: [...(rule.except_at ?? [])],
    pause: (rule.pause ?? []).map((pause) => ({ ...pause })),
    ...whenOf(rule),
  };
}

// ───────────────────────────────────────────────────────────── form → reminder

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
    clip: form.clip && { ...form.clip },
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
export function same(a: Json | undefined, b: Json | undefined): boolean {
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
