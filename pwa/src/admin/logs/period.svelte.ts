/** From which day to which: the last thirty until somebody says otherwise. */
import { clock } from '../../app/clock.svelte';
import { t } from '../../app/i18n.svelte';
import { instant } from './logs';

const USUAL_DAYS = 30;

function dayOf(moment: number): string {
  const date = new Date(moment);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export class Period {
  from = $state(dayOf(clock.minute - USUAL_DAYS * 86_400_000));
  to = $state(dayOf(clock.minute));
  readonly wrong = $derived(
    instant(this.from) === null || instant(this.to) === null || this.from > this.to
      ? t('admin.logs.period_wrong')
      : null,
  );
  /** Instants: from the first day's midnight to the last one's end. */
  readonly since = $derived(instant(this.from));
  readonly until = $derived(instant(this.to, true));
}
