/** What stands in the way of saving. Problems name a field and a message key; the words are the catalogue's. */
import { isDate, minuteOf } from '../time';
import { minutesOf } from './clock';
import type { ReminderForm } from './form';

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

function isTime(value: string): boolean {
  return minuteOf(value) !== null;
}

function isYearDay(value: string): boolean {
  const [month = 0, day = 0] = value.split('-').map(Number);
  return day >= 1 && day <= (DAYS_OF_MONTH[month - 1] ?? 0);
}
