/** What the supporter's screens say about times, days, rules, outcomes and alerts. Texts are the catalogue's. */
import { has, language, locale, t } from '../app/i18n.svelte';
import { mos } from '../app/mos.svelte';
import type { Alert, Day, Item, ReadOutcome, Reminder, Rule } from '../plan/model';
import { ORDINALS } from '../plan/editor/form';
import { patternOf } from '../plan/editor/rule';
import { addDays, DAYS, wallTime, weekday } from '../plan/time';
import type { Status as ChipStatus } from '../ui/tone';
import { weekdayName } from '../ui/weekday';
import { hoursAndMinutes, type Status } from './overview';

// ───────────────────────────────────────────────────────────── times

export function clockTime(ms: number, zone: string): string {
  return wallTime(ms, zone).slice(11, 16);
}

/** Before a time that `by` wrote, perhaps on this device: `≈` while its clock is known to be wrong. */
export function aboutBy(by: string | null): string {
  return by !== null && by === mos.session?.account.id ? mos.about : '';
}

/** `14:05`; with its day when that is not `today`: `i går 14:05`, `25 nov 14:05`. */
export function dayAndClock(ms: number, zone: string, today: string): string {
  return withDay(clockTime(ms, zone), wallTime(ms, zone).slice(0, 10), today);
}

/** `kl. 12:50`; with its day when that is not `today`: `i går kl. 21:14`. For the middle of a sentence. */
export function asOfWords(ms: number, { zone, today }: { zone: string; today: string }): string {
  const time = t('supporter.as_of.at', { time: clockTime(ms, zone) });
  return withDay(time, wallTime(ms, zone).slice(0, 10), today);
}

function withDay(time: string, date: string, today: string): string {
  if (date === today) return time;
  const day = date === addDays(today, -1) ? t('supporter.item.before') : shortDate(date);
  return `${day} ${time}`;
}

/** `29 min`, `2 h`, `15 h 29 min`. */
export function lengthWords(total: number): string {
  const { hours, minutes } = hoursAndMinutes(total);
  if (hours === 0) return t('supporter.length.minutes', { minutes });
  if (minutes === 0) return t('supporter.length.hours', { hours });
  return t('supporter.length.both', { hours, minutes });
}

/** `10,5 h`: where there is no room for more. */
export function hoursWords(minutes: number): string {
  const hours = new Intl.NumberFormat(locale(), { maximumFractionDigits: 1 }).format(minutes / 60);
  return t('supporter.length.hours', { hours });
}

/** `27 november`; with the year when it is not that of `today`. */
export function dateWords(date: string, today: string): string {
  const year = date.slice(0, 4) === today.slice(0, 4) ? undefined : ('numeric' as const);
  return formatDate(date, { day: 'numeric', month: 'long', ...(year && { year }) });
}

/** `27 nov`; in Finnish, where the month is a number as well, `27.11.`. */
export function shortDate(date: string): string {
  return formatDate(date, { day: 'numeric', month: 'short' }).replace(/(?<=\p{L})\.$/u, '');
}

/** `Fredag 27 november`. */
export function dayAndDate(date: string): string {
  return `${weekdayName(weekday(date), language(), 'long')} ${dateWords(date, date)}`;
}

/** As it stands within a sentence: English keeps the capital of its days, Swedish and Finnish do not. */
export function withinSentence(words: string): string {
  return language() === 'en' ? words : words.charAt(0).toLocaleLowerCase(locale()) + words.slice(1);
}

export function dayName(day: Day, form: 'long' | 'short' | 'narrow' = 'long'): string {
  return weekdayName(day, language(), form);
}

function formatDate(date: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale(), { ...options, timeZone: 'UTC' }).format(
    new Date(`${date}T00:00:00Z`),
  );
}

// ───────────────────────────────────────────────────────────── status

const CHIPS: Record<Status['kind'], ChipStatus> = {
  fetching: 'info',
  help: 'missed',
  double: 'missed',
  missed: 'missed',
  late: 'late',
  silent: 'silent',
  paused: 'paused',
  unplanned: 'info',
  on_time: 'ok',
};

export function chipOf(status: Status): ChipStatus {
  return CHIPS[status.kind];
}

export function statusWords(status: Status): string {
  switch (status.kind) {
    case 'fetching':
      return t('common.fetching');
    case 'help':
      return t(status.unwilling ? 'supporter.status.unwilling' : 'supporter.status.help');
    case 'double':
      return t('supporter.alert.double');
    case 'missed':
      return t('supporter.status.missed', { count: status.count });
    case 'late':
      return t('supporter.status.late', { length: lengthWords(status.minutes) });
    case 'silent':
      return t('supporter.status.silent');
    case 'paused':
      return t('supporter.status.paused');
    case 'unplanned':
      return t('supporter.status.unplanned');
    case 'on_time':
      return t('supporter.status.on_time');
  }
}

// ───────────────────────────────────────────────────────────── outcomes, categories

export function outcomeWords(outcome: ReadOutcome): string {
  // A key that ends in `.other` is a plural form.
  return t(`supporter.outcome.${outcome === 'other' ? 'another' : outcome}`);
}

/** The category in words; one that this release does not know is shown as itself. */
export function categoryWords(reminder: Pick<Reminder, 'category' | 'label'>): string {
  if (reminder.category === 'other' && reminder.label) return reminder.label;
  return categoryName(reminder.category);
}

/** The category's name; one that this release does not know is its own. */
export function categoryName(category: string): string {
  const key = `supporter.category.${category === 'other' ? 'another' : category}`;
  return has(key) ? t(key) : category;
}

/** `Lgh 3` for a bare number; other words as they were written. */
export function flatWords(flat: string): string {
  return /^\d+\w?$/.test(flat) ? t('supporter.flat', { flat }) : flat;
}

/** `12:00–12:45`, or `08:00` for a moment. */
export function spanWords(item: Pick<Item, 'from' | 'until' | 'start' | 'end'>): string {
  return item.end > item.start ? `${item.from}–${item.until}` : item.from;
}

// ───────────────────────────────────────────────────────────── alerts

/** `Du tog det 12:44.`, `Sara tog det 12:44.` */
export function takenWords(
  { by, at }: NonNullable<Alert['taken']>,
  {
    zone,
    me,
    nameOf,
  }: { zone: string; me: string | undefined; nameOf: (id: string) => string | null },
): string {
  const time = clockTime(at, zone);
  if (by === me) return t('supporter.alert.taken_you', { time });
  const name = nameOf(by)?.split(' ')[0] ?? t('supporter.alert.somebody');
  return t('supporter.alert.taken', { name, time });
}

export const ALERT_TONE: Record<Alert['kind'], 'late' | 'miss' | 'silent'> = {
  late: 'late',
  missed: 'miss',
  help: 'miss',
  silent: 'silent',
  conflict: 'late',
  double: 'miss',
  unentitled: 'late',
};

// ───────────────────────────────────────────────────────────── rules

/** When it comes, in one line, beside a time that stands there already: "Varje dag", "Vardagar 08:00 och 20:00". */
export function ruleWords(rule: Rule, today: string): string {
  return [whenWords(rule, today), ...limitWords(rule, today)].join(' · ');
}

/** Several times are named; a single one stands in its own column. */
function timesWords(times: readonly string[]): string {
  return times.length > 1 ? ` ${listWords([...times].sort())}` : '';
}

function whenWords(rule: Rule, today: string): string {
  switch (rule.kind) {
    case 'once':
      return t('supporter.rule.once', {
        day: dayName(weekday(rule.at.slice(0, 10)), 'short'),
        date: dateWords(rule.at.slice(0, 10), today),
      });
    case 'weekly':
      return daysWords(rule.days, rule.every ?? 1) + timesWords(rule.times);
    case 'interval': {
      const parts = /^PT(?:(\d+)H)?(?:(\d+)M)?$/.exec(rule.every);
      const minutes = Number(parts?.[1] ?? 0) * 60 + Number(parts?.[2] ?? 0);
      return t('supporter.rule.interval', {
        length: parts ? lengthWords(minutes) : rule.every,
        from: rule.from,
        to: rule.to,
      });
    }
    case 'rrule':
      return rruleWords(rule.rrule) + timesWords(rule.times);
  }
}

export function rruleWords(rrule: string): string {
  const pattern = patternOf(rrule);
  switch (pattern.repeat) {
    case 'month_day':
      return pattern.monthDay === -1
        ? t('supporter.rule.month_last_day')
        : t('supporter.rule.month_day', { day: pattern.monthDay ?? 1 });
    case 'month_weekday':
      return t('supporter.rule.month_weekday', {
        ordinal: ordinalWords(pattern.ordinal ?? 1),
        day: withinSentence(dayName(pattern.weekday ?? 'mon')),
      });
    case 'yearly':
      return t('supporter.rule.yearly', {
        date: dateWords(`2024-${pattern.yearDay ?? '01-01'}`, '2024'),
      });
    default:
      return t('supporter.rule.own', { rule: rrule });
  }
}

export function ordinalWords(ordinal: (typeof ORDINALS)[number]): string {
  return t(`supporter.ordinal.${ordinal === -1 ? 'last' : ordinal}`);
}

export function daysWords(days: readonly Day[], every: number): string {
  const names = DAYS.filter((day) => days.includes(day));
  const set = names.join();
  const which =
    names.length === 7
      ? null
      : set === 'mon,tue,wed,thu,fri'
        ? t('supporter.rule.weekdays')
        : set === 'sat,sun'
          ? t('supporter.rule.weekends')
          : listWords(names.map((day) => dayName(day, 'short').replace('.', '')));
  if (every === 1) return which ?? t('supporter.rule.daily');
  const weeks = weeksWords(every);
  return which === null ? weeks : `${weeks}: ${which}`;
}

export function weeksWords(every: number): string {
  return every === 2 ? t('supporter.rule.weeks_two') : t('supporter.rule.weeks', { count: every });
}

/** "Henrik och Ingrid"; of whom one is enough, `disjunction`: "Henrik eller Ingrid". */
export function listWords(
  words: readonly string[],
  type: 'conjunction' | 'disjunction' = 'conjunction',
): string {
  return new Intl.ListFormat(locale(), { type }).format(words);
}

function limitWords(rule: Rule, today: string): string[] {
  if (rule.kind === 'once') return [];
  const words = [];
  if (rule.start > today)
    words.push(t('supporter.rule.from', { date: dateWords(rule.start, today) }));
  if (rule.end) {
    words.push(
      rule.end < today
        ? t('supporter.rule.ended', { date: dateWords(rule.end, today) })
        : t('supporter.rule.until', { date: dateWords(rule.end, today) }),
    );
  }
  const pause = rule.pause?.find(({ from, to }) => from <= today && (!to || today <= to));
  if (pause) {
    words.push(
      pause.to
        ? t('supporter.rule.paused_to', { date: dateWords(pause.to, today) })
        : t('supporter.rule.paused'),
    );
  }
  return words;
}
