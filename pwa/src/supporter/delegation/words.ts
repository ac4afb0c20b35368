/** A delegation in words. */
import { locale, t } from '../../app/i18n.svelte';
import { taskWords } from '../medication/words';
import type { Delegation } from './delegation';

/** `24 november 2027`, of a day. */
export function dateText(day: string): string {
  return new Intl.DateTimeFormat(locale(), {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(new Date(`${day}T00:00:00Z`));
}

/** The task's name; of one without a name the nurse's own words. */
export function taskText({ task, detail }: Pick<Delegation, 'task' | 'detail'>): string {
  return task === 'other' ? detail : taskWords(task);
}

/** `Alla på Eken, Elsa Lind`. */
export function forWhom({
  unit_names,
  resident_names,
}: Pick<Delegation, 'unit_names' | 'resident_names'>): string {
  return [...unit_names.map((unit) => t('delegation.everybody', { unit })), ...resident_names].join(
    ', ',
  );
}
