/** What a supporter does with medicines: propose, stop, give as needed. Each is one change in the replica. */
import { t } from '../../app/i18n.svelte';
import { mos } from '../../app/mos.svelte';
import type { Resident } from '../../care/residents.svelte';
import { undo } from '../../care/undo.svelte';
import type { Json } from '../../offline/model';
import { wallTime } from '../../plan/time';
import type { Medicine } from './medicines.svelte';
import { doseWords, orderTitle } from './words';

/** Proposes a value of an order. What holds stays until the server has taken it. */
export async function propose(space: string, rec: string, v: Record<string, Json>): Promise<void> {
  await mos.replica.safety(space, 'order', rec, v);
}

/** Proposes that the order ends now; all else in it stays as it is. */
export async function stop({ space, rec, active }: Medicine, why: string): Promise<void> {
  if (active === null) return;
  const stopped = { at: new Date().toISOString(), why: why.trim() };
  await propose(space, rec, { ...active.v, stopped });
}

/** A dose that no time was set for. */
export async function giveAsNeeded(
  resident: Resident,
  { space, rec, active, shown }: Medicine,
  { at, note }: { at: number; note: string },
): Promise<void> {
  if (active === null) return;
  const made = await mos.replica.event(space, 'completion', {
    occ: `${rec}@${wallTime(at, resident.zone).slice(0, 16)}`,
    at: new Date(at).toISOString(),
    st: 'done',
    prn: true,
    ver: active.ver,
    ...(note.trim() && { note: note.trim() }),
  });
  undo.offer(
    t('supporter.med.undo.given', { title: `${orderTitle(shown)}, ${doseWords(shown)}` }),
    () => mos.replica.event(space, 'retract', { of: made, at: new Date().toISOString() }),
  );
}
