/** Moments in words, in the home's zone. */
import { locale } from '../app/i18n.svelte';
import { mos } from '../app/mos.svelte';

export function dayAndTime(at: number): string {
  const zone = mos.session?.organisation.zone;
  return new Intl.DateTimeFormat(locale(), {
    day: 'numeric',
    month: 'long',
    hour: '2-digit',
    minute: '2-digit',
    ...(zone === undefined ? {} : { timeZone: zone }),
  }).format(at);
}
