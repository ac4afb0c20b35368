/** What the screens say about times and things. Short, one idea a sentence. */
import { locale, t } from '../app/i18n.svelte';
import { mos } from '../app/mos.svelte';
import type { DayPart, Item } from '../plan/model';
import { dayNumber } from '../plan/time';
import { MOST_DOTS, quartersLeft } from './dial/geometry';

export const PART_KEYS = {
  morning: 'resident.part.morning',
  day: 'resident.part.day',
  evening: 'resident.part.evening',
  night: 'resident.part.night',
} as const satisfies Record<DayPart, string>;

const SOON_KEYS = {
  morning: 'resident.soon.morning',
  day: 'resident.soon.day',
  evening: 'resident.soon.evening',
  night: 'resident.soon.night',
} as const satisfies Record<DayPart, string>;

/** `Fredag` */
export function dayName(date: string): string {
  return capital(format(date, { weekday: 'long' }));
}

/** `27 november` */
export function dateName(date: string): string {
  return format(date, { day: 'numeric', month: 'long' });
}

function format(date: string, options: Intl.DateTimeFormatOptions): string {
  const at = (dayNumber(date) ?? 0) * 86_400_000;
  return new Intl.DateTimeFormat(locale(), { ...options, timeZone: 'UTC' }).format(at);
}

function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase(locale()) + text.slice(1);
}

/** What this device's clock says: `12:14` from a minute of the day, `≈ 12:14` while it is known to be wrong. */
export function clockWords(minute: number): string {
  const inDay = ((minute % 1440) + 1440) % 1440;
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${mos.about}${two(Math.floor(inDay / 60))}:${two(inDay % 60)}`;
}

/** `7` on the hour, else `7:30`: as people say it. */
export function hourWords(clock: string): string {
  const [hours = '', minutes = ''] = clock.split(':');
  return minutes === '00' ? String(Number(hours)) : `${Number(hours)}:${minutes}`;
}

/** How long it is until something: whole quarters in words, or null when it is too far for dots. */
export function quarterWords(minute: number, next: number): string | null {
  const count = quartersLeft(minute, next);
  if (count > MOST_DOTS) return null;
  if (count === 0) return t('resident.quarters_none');
  if (count % 4 === 0) return t('resident.hours', { count: count / 4 });
  return t('resident.quarters', { count });
}

/** What is far away is placed by what comes before it ("efter lunch"), else by its part of the day ("i kväll"). */
export function farWords(now: Item | null, part: DayPart, tomorrow: boolean): string {
  if (tomorrow) return t('resident.soon.tomorrow');
  if (now !== null && now.family === 'meal' && now.state === 'now')
    return t('resident.after', { title: lower(now.reminder.title) });
  return t(SOON_KEYS[part]);
}

function lower(title: string): string {
  return title.charAt(0).toLocaleLowerCase(locale()) + title.slice(1);
}

/** What stands under a title: "till 12:45", or since when it waits. */
export function untilWords(item: Item): string {
  if (item.state === 'open' || item.state === 'missed')
    return t('resident.since', { time: item.from });
  return item.start === item.end
    ? t('resident.at', { time: item.from })
    : t('resident.until', { time: item.until });
}

export function stateWords(item: Item): string {
  switch (item.state) {
    case 'done':
      return answerWords(item);
    case 'open':
    case 'missed':
      return t('resident.state.open');
    case 'now':
      return t('resident.now');
    case 'later':
    case 'gone':
    case 'paused':
      return '';
  }
}

/** What became of it, in the words that staff have for it: not everything that is answered is done. */
function answerWords({ outcome }: Item): string {
  const word = outcome ?? 'unknown';
  return t(`resident.state.${word === 'other' ? 'another' : word}`);
}

interface Told {
  date: string;
  minute: number;
  part: DayPart;
  now: Item | null;
  next: Item | null;
  nextAt: number | null;
  sleep: Item | null;
  /** A pause covers the day. */
  paused: boolean;
}

/** The dial in words: where the day stands, what is on and what comes. `minute` is rounded by the caller as often as it should change. */
export function tellDay({ date, minute, part, now, next, nextAt, sleep, paused }: Told): string {
  const quarters = nextAt === null ? null : quarterWords(minute, nextAt);
  return [
    t('resident.tell.time', { time: clockWords(minute) }),
    t('resident.tell.day', {
      day: dayName(date),
      part: t(PART_KEYS[part]).toLocaleLowerCase(locale()),
    }),
    now === null
      ? t(paused ? 'resident.tell.paused' : 'resident.tell.now_nothing')
      : t('resident.tell.now', { title: now.reminder.title, until: untilWords(now) }),
    next === null
      ? t(paused ? 'resident.tell.paused_text' : 'resident.tell.next_nothing')
      : t('resident.tell.next', { title: next.reminder.title, time: next.from }) +
        (quarters === null ? '.' : `, ${quarters}.`),
    ...(sleep === null || sleep === next
      ? []
      : [t('resident.tell.sleep', { title: sleep.reminder.title, time: sleep.from })]),
  ].join(' ');
}

/** One item in words, for those who listen. */
export function tellItem(item: Item): string {
  return [`${item.from} ${item.reminder.title}`, stateWords(item)].filter(Boolean).join(', ');
}
