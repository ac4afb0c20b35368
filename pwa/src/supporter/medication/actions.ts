/** What a supporter does with medicines: propose, stop, give as needed. Each is one change in the replica. */
import { t } from '../../app/i18n.svelte';
import { mos } from '../../app/mos.svelte';
import type { Resident } from '../../care/residents.svelte';
import { undo } from '../../care/undo.svelte';
import type { Value } from '../../offline/model';
import { doseText } from '../../medication/order';
import { wallTime } from '../../plan/time';
import { versionSeen } from './conflict';
import { saidBy } from '../record';
import { me, type Signed } from '../signing/who';
import type { Medicine } from './medicines.svelte';
import { doseWords, orderTitle } from './words';

/** Proposes a value of an order, written from the version `base`. What holds stays until the server has taken it. */
export async function propose(
  space: string,
  rec: string,
  value: Value,
  { write }: Pick<Signed, 'write'> = me(),
): Promise<void> {
  await write.safety(space, 'order', rec, value);
}

/** Proposes that the order ends now; all else in it stays as it was when that was asked for. */
export async function stop(medicine: Medicine, why: string, signed = me()): Promise<void> {
  const { space, rec, active } = medicine;
  if (active === null) return;
  const stopped = { at: new Date().toISOString(), why: why.trim() };
  const base = versionSeen(medicine, mos.session?.account.id ?? '');
  await propose(space, rec, { v: { ...active.v, stopped }, base }, signed);
}

/** A dose that no time was set for. */
export async function giveAsNeeded(
  resident: Resident,
  { space, rec, active, shown }: Medicine,
  { at, note }: { at: number; note: string },
  signed: Signed = me(),
): Promise<void> {
  if (active === null) return;
  const made = await signed.write.event(space, 'completion', {
    occ: `${rec}@${wallTime(at, resident.zone).slice(0, 16)}`,
    at: new Date(at).toISOString(),
    st: 'done',
    prn: true,
    ver: active.ver,
    amount: doseText(active.v, 'en'),
    ...(note.trim() && { note: note.trim() }),
    ...(signed.givenBy && { given_by: signed.givenBy }),
  });
  undo.offer(
    saidBy(
      t('supporter.med.undo.given', { title: `${orderTitle(shown)}, ${doseWords(shown)}` }),
      signed,
    ),
    () => signed.back().event(space, 'retract', { of: made, at: new Date().toISOString() }),
  );
}
