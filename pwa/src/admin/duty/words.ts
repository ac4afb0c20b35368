/** Days and turns in words. */
import { language, locale, t } from '../../app/i18n.svelte';
import { addDays, wallTime, weekday } from '../../plan/time';
import { weekdayName } from '../../ui/weekday';
import type { DayGap, RotaRule } from './rota';

/** `30 nov`. */
export function shortDate(day: string): string {
  return new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short', timeZone: 'UTC' })
    .format(new Date(`${day}T00:00Z`))
    .replace(/(?<=\p{L})\.$/u, '');
}

/** `Måndag 30 nov`; `I dag, söndag 29 nov`. */
export function dayWords(day: string, today: string): string {
  const words = `${weekdayName(weekday(day), language(), 'long')} ${shortDate(day)}`;
  return day === today ? `${t('admin.duty.today')} · ${words}` : words;
}

/** `07:00`; with its day when that is not `today`: `tis 07:00`. */
export function momentWords(at: string, zone: string, today: string): string {
  const wall = wallTime(Date.parse(at), zone);
  const [day, time] = [wall.slice(0, 10), wall.slice(11)];
  if (day === today) return time;
  if (day === addDays(today, 1)) return t('admin.duty.tomorrow', { time });
  return `${weekdayName(weekday(day), language(), 'short')} ${time}`;
}

/** `Ingen har jour 22:00–07:00`. */
export function gapWords({ from, to }: DayGap): string {
  if (from !== null && to !== null) return t('admin.duty.gap', { from, to });
  if (from !== null) return t('admin.duty.gap_from', { from });
  return to === null ? t('admin.duty.gap_all') : t('admin.duty.gap_to', { to });
}

/** `alla dagar 16:00–07:00`, `Lö, Sö 07:00–07:00`. */
export function hoursWords(rule: RotaRule): string {
  const days =
    rule.weekdays.length === 7
      ? t('admin.duty.every_day')
      : rule.weekdays.map((day) => weekdayName(day, language(), 'narrow')).join(', ');
  return `${days} ${rule.from}–${rule.to}`;
}
