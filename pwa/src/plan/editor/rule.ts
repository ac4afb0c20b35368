/** The rule of a reminder, and the plain choices that say the same. */
import type { Day, Rule } from '../model';
import { DAYS } from '../time';
import type { Ordinal, ReminderForm } from './form';

/** The choices that say this rule. */
export function whenOf(rule: Rule): Partial<ReminderForm> {
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
