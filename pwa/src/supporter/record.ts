/** What a supporter does with a day and its alerts: each is one change in the replica, and each can be taken back. */
import { t } from '../app/i18n.svelte';
import { mos, nameOf } from '../app/mos.svelte';
import { whereIs } from '../care/day.svelte';
import type { Resident } from '../care/residents.svelte';
import { undo } from '../care/undo.svelte';
import type { Alert, Item, Outcome } from '../plan/model';
import { taking } from './overview';
import { me, type Signed } from './signing/who';
import { outcomeWords } from './words';

interface Told {
  outcome: Outcome;
  /** When it really happened, ms. */
  at: number;
  note: string;
}

export async function recordOutcome(
  resident: Resident,
  item: Item,
  told: Told,
  signed: Signed = me(),
): Promise<void> {
  const { order } = item.reminder;
  const space = order?.space ?? resident.space;
  const made = await signed.write.event(space, 'completion', {
    occ: item.occ,
    at: new Date(told.at).toISOString(),
    st: told.outcome,
    ...(told.note.trim() && { note: told.note.trim() }),
    ...(signed.givenBy && { given_by: signed.givenBy }),
    ...order?.said,
  });
  undo.offer(
    saidBy(
      t('supporter.undo.outcome', {
        title: item.reminder.title,
        outcome: outcomeWords(told.outcome),
      }),
      signed,
    ),
    () => retract(space, made, signed.back()),
  );
}

/** The recorded outcome no longer counts; the occurrence is open again. */
export async function retractOutcome(
  resident: Resident,
  item: Item,
  signed: Signed = me(),
): Promise<void> {
  if (item.completion === null) return;
  await retract(item.reminder.order?.space ?? resident.space, item.completion, signed.write);
}

async function retract(space: string, of: string, write: Signed['write']): Promise<void> {
  await write.event(space, 'retract', { of, at: new Date().toISOString() });
}

/** What was done, and by whom where that is not whoever is signed in. */
export function saidBy(what: string, { name }: Pick<Signed, 'name'>): string {
  return name === null ? what : t('supporter.undo.signed', { what, name });
}

export async function takeAlert(
  resident: Resident,
  alert: Alert,
  signed: Signed = me(),
): Promise<void> {
  const space = whereIs(resident.space, 'alert', alert.id);
  const before = mos.replica.row(space, 'alert', alert.id)?.doc['taken'] ?? null;
  const taken = taking(signed.account, Date.now());
  await signed.write.set(space, 'alert', alert.id, { taken });
  undo.offer(saidBy(t('supporter.undo.taken', { name: resident.called }), signed), () =>
    signed.back().set(space, 'alert', alert.id, { taken: before }),
  );
}

/** How long somebody who is asked has to say "Jag tar det", before the ladder goes on. */
const ASKED_MS = 5 * 60_000;

/** Asks a colleague to take an alert. It waits meanwhile; whoever is asked hears at once. */
export async function handOver(resident: Resident, alert: Alert, to: string): Promise<void> {
  const space = whereIs(resident.space, 'alert', alert.id);
  const before = mos.replica.row(space, 'alert', alert.id)?.doc['taken'] ?? null;
  const now = Date.now();
  await mos.replica.set(space, 'alert', alert.id, {
    taken: {
      by: mos.session?.account.id ?? '',
      at: new Date(now).toISOString(),
      again_at: new Date(now + ASKED_MS).toISOString(),
      to,
    },
  });
  undo.offer(t('supporter.undo.handed', { name: nameOf(to) ?? '' }), () =>
    mos.replica.set(space, 'alert', alert.id, { taken: before }),
  );
}

/** Who was asked to take an alert instead of its taker; null for nobody. */
export function askedOf(resident: Resident, alert: Alert): string | null {
  const space = whereIs(resident.space, 'alert', alert.id);
  const taken = mos.replica.row(space, 'alert', alert.id)?.doc['taken'];
  const to = typeof taken === 'object' && taken !== null && 'to' in taken ? taken['to'] : null;
  return typeof to === 'string' ? to : null;
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
