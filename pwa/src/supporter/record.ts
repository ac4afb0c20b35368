/** What a supporter does with a day and its alerts: each is one change in the replica, and each can be taken back. */
import { t } from '../app/i18n.svelte';
import { mos } from '../app/mos.svelte';
import { whereIs } from '../care/day.svelte';
import type { Resident } from '../care/residents.svelte';
import { undo } from '../care/undo.svelte';
import type { Alert, Item, Outcome } from '../plan/model';
import { taking } from './overview';
import { outcomeWords } from './words';

interface Told {
  outcome: Outcome;
  /** When it really happened, ms. */
  at: number;
  note: string;
}

export async function recordOutcome(resident: Resident, item: Item, told: Told): Promise<void> {
  const { order } = item.reminder;
  const space = order?.space ?? resident.space;
  const made = await mos.replica.event(space, 'completion', {
    occ: item.occ,
    at: new Date(told.at).toISOString(),
    st: told.outcome,
    ...(told.note.trim() && { note: told.note.trim() }),
    ...(order && { ver: order.ver }),
  });
  undo.offer(
    t('supporter.undo.outcome', {
      title: item.reminder.title,
      outcome: outcomeWords(told.outcome),
    }),
    () => retract(space, made),
  );
}

/** The recorded outcome no longer counts; the occurrence is open again. */
export async function retractOutcome(resident: Resident, item: Item): Promise<void> {
  if (item.completion === null) return;
  await retract(item.reminder.order?.space ?? resident.space, item.completion);
}

async function retract(space: string, of: string): Promise<void> {
  await mos.replica.event(space, 'retract', { of, at: new Date().toISOString() });
}

export async function takeAlert(resident: Resident, alert: Alert): Promise<void> {
  const me = mos.session?.account.id ?? '';
  const space = whereIs(resident.space, 'alert', alert.id);
  const before = mos.replica.row(space, 'alert', alert.id)?.doc['taken'] ?? null;
  await mos.replica.set(space, 'alert', alert.id, { taken: taking(me, Date.now()) });
  undo.offer(t('supporter.undo.taken', { name: resident.called }), () =>
    mos.replica.set(space, 'alert', alert.id, { taken: before }),
  );
}

/** For alerts that no outcome closes: a call for help that was answered, a tablet that works again. */
export async function closeAlert(resident: Resident, alert: Alert): Promise<void> {
  const space = whereIs(resident.space, 'alert', alert.id);
  await mos.replica.set(space, 'alert', alert.id, {
    closed: { at: new Date().toISOString(), why: 'by_hand' },
  });
  undo.offer(t('supporter.undo.closed', { name: resident.called }), () =>
    mos.replica.set(space, 'alert', alert.id, { closed: null }),
  );
}
