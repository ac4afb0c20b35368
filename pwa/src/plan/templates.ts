/** Standard days: a whole plan in one tap. Titles are content that the resident reads, so they follow the
 *  resident's language, not that of whoever taps; what the editor says about a template is in its catalogue. */
import type { Json } from '../offline/model';
import { laterBy } from './editor/clock';
import { blankForm, groupsOf, reminderOf, WEEKDAYS, type ReminderForm } from './editor/form';
import type { Category, Day, Reminder } from './model';
import { DAYS } from './time';

export const TEMPLATES = ['ordinary', 'activity', 'calm', 'work'] as const;
export type TemplateName = (typeof TEMPLATES)[number];

type Titles = Record<'sv' | 'en' | 'fi', string>;

interface Planned {
  title: Titles;
  category: Category;
  symbol: string;
  at: string;
  minutes: number;
  days?: readonly Day[];
}

const WEEKEND: readonly Day[] = ['sat', 'sun'];

const T = {
  wake: { sv: 'Gå upp', en: 'Get up', fi: 'Nouse ylös' },
  wash: { sv: 'Tvätta dig', en: 'Wash', fi: 'Peseydy' },
  shower: { sv: 'Duscha', en: 'Shower', fi: 'Käy suihkussa' },
  breakfast: { sv: 'Frukost', en: 'Breakfast', fi: 'Aamupala' },
  snack: { sv: 'Mellanmål', en: 'Snack', fi: 'Välipala' },
  coffee: { sv: 'Fika', en: 'Coffee', fi: 'Kahvi' },
  lunch: { sv: 'Lunch', en: 'Lunch', fi: 'Lounas' },
  dinner: { sv: 'Middag', en: 'Dinner', fi: 'Päivällinen' },
  supper: { sv: 'Kvällsmål', en: 'Supper', fi: 'Iltapala' },
  rest: { sv: 'Vila', en: 'Rest', fi: 'Lepo' },
  walk: { sv: 'Promenad', en: 'Walk', fi: 'Kävely' },
  activity: { sv: 'Daglig verksamhet', en: 'Day centre', fi: 'Päivätoiminta' },
  work: { sv: 'Jobba', en: 'Work', fi: 'Töissä' },
  break: { sv: 'Paus', en: 'Break', fi: 'Tauko' },
  music: { sv: 'Lyssna på musik', en: 'Listen to music', fi: 'Kuuntele musiikkia' },
  tidy: { sv: 'Plocka undan', en: 'Tidy up', fi: 'Siivoa' },
  teeth: { sv: 'Borsta tänderna', en: 'Brush your teeth', fi: 'Pese hampaat' },
  windDown: { sv: 'Lugn stund', en: 'Quiet time', fi: 'Rauhallinen hetki' },
  sleep: { sv: 'Sova', en: 'Sleep', fi: 'Nuku' },
} satisfies Record<string, Titles>;

function plan(
  title: Titles,
  category: Category,
  symbol: string,
  at: string,
  minutes: number,
  days?: readonly Day[],
): Planned {
  return { title, category, symbol, at, minutes, ...(days && { days }) };
}

// Meals lie at most eleven hours apart over the night, and three hours by day.
const DAYS_OF_TEMPLATES: Record<TemplateName, readonly Planned[]> = {
  ordinary: [
    plan(T.wash, 'hygiene', 'wash', '07:30', 20),
    plan(T.breakfast, 'meal', 'breakfast', '08:00', 30),
    plan(T.snack, 'meal', 'snack', '10:00', 20),
    plan(T.walk, 'movement', 'walk', '11:00', 40),
    plan(T.lunch, 'meal', 'lunch', '12:00', 45),
    plan(T.rest, 'rest', 'rest', '13:00', 60),
    plan(T.coffee, 'meal', 'coffee', '14:30', 30),
    plan(T.dinner, 'meal', 'dinner', '17:30', 45),
    plan(T.music, 'movement', 'music', '19:00', 45),
    plan(T.supper, 'meal', 'supper', '20:30', 30),
    plan(T.teeth, 'hygiene', 'toothbrush', '21:30', 15),
    plan(T.sleep, 'sleep', 'sleep', '22:00', 540),
  ],
  activity: [
    plan(T.wash, 'hygiene', 'wash', '06:45', 20),
    plan(T.breakfast, 'meal', 'breakfast', '07:15', 30),
    plan(T.activity, 'movement', 'activity', '08:30', 180, WEEKDAYS),
    plan(T.lunch, 'meal', 'lunch', '12:00', 45),
    plan(T.activity, 'movement', 'activity', '13:00', 120, WEEKDAYS),
    plan(T.walk, 'movement', 'walk', '13:30', 45, WEEKEND),
    plan(T.snack, 'meal', 'snack', '15:30', 20),
    plan(T.rest, 'rest', 'rest', '16:00', 60),
    plan(T.dinner, 'meal', 'dinner', '17:30', 45),
    plan(T.shower, 'hygiene', 'shower', '19:00', 30, ['mon', 'wed', 'fri', 'sun']),
    plan(T.supper, 'meal', 'supper', '20:15', 30),
    plan(T.sleep, 'sleep', 'sleep', '21:30', 525),
  ],
  calm: [
    plan(T.breakfast, 'meal', 'breakfast', '08:30', 45),
    plan(T.snack, 'meal', 'snack', '10:30', 20),
    plan(T.lunch, 'meal', 'lunch', '12:30', 45),
    plan(T.rest, 'rest', 'rest', '13:30', 90),
    plan(T.coffee, 'meal', 'coffee', '15:15', 30),
    plan(T.dinner, 'meal', 'dinner', '17:30', 45),
    plan(T.windDown, 'rest', 'calm', '19:00', 60),
    plan(T.supper, 'meal', 'supper', '21:00', 30),
    plan(T.sleep, 'sleep', 'sleep', '22:00', 600),
  ],
  work: [
    plan(T.wake, 'hygiene', 'wake', '06:45', 15, WEEKDAYS),
    plan(T.breakfast, 'meal', 'breakfast', '07:15', 20),
    plan(T.work, 'movement', 'work', '08:30', 150, WEEKDAYS),
    plan(T.break, 'rest', 'break', '11:00', 15, WEEKDAYS),
    plan(T.lunch, 'meal', 'lunch', '12:00', 45),
    plan(T.work, 'movement', 'work', '13:00', 120, WEEKDAYS),
    plan(T.break, 'rest', 'break', '15:00', 15, WEEKDAYS),
    plan(T.work, 'movement', 'work', '15:15', 75, WEEKDAYS),
    plan(T.snack, 'meal', 'snack', '16:45', 15),
    plan(T.dinner, 'meal', 'dinner', '18:00', 45),
    plan(T.tidy, 'cleaning', 'cleaning', '19:00', 15),
    plan(T.supper, 'meal', 'supper', '20:30', 20),
    plan(T.windDown, 'rest', 'calm', '21:15', 30),
    plan(T.sleep, 'sleep', 'sleep', '22:15', 510),
  ],
};

export interface TemplateOptions {
  zone: string;
  /** The first day of the plan. */
  start: string;
  /** The resident's language; one we do not speak gets Swedish. */
  language: string;
}

/** The template as forms, one per reminder, ready to be saved or changed. */
export function formsOf(
  name: TemplateName,
  { zone, start, language }: TemplateOptions,
): ReminderForm[] {
  return DAYS_OF_TEMPLATES[name].map(({ title, category, symbol, at, minutes, days }) => ({
    ...blankForm(category, { zone, date: start }),
    title: (title as Partial<Record<string, string>>)[language] ?? title.sv,
    symbol,
    times: [at],
    minutes,
    days: [...(days ?? DAYS)],
  }));
}

export function groupsOfTemplate(
  name: TemplateName,
  options: TemplateOptions,
): Record<string, Json>[] {
  return formsOf(name, options).map(groupsOf);
}

export function remindersOfTemplate(name: TemplateName, options: TemplateOptions): Reminder[] {
  return formsOf(name, options).map((form, index) =>
    reminderOf(form, `template-${name}-${String(index)}`),
  );
}

/** `08:00–08:30`, for the list before somebody taps. */
export function spanOf(form: ReminderForm): string {
  const from = form.times[0] ?? '';
  return form.minutes > 0 ? `${from}–${laterBy(from, form.minutes)}` : from;
}
