/** What a resident does: each is one event on this device, sent when it can be. */
import { mos } from '../app/mos.svelte';
import { t } from '../app/i18n.svelte';
import { undo } from '../care/undo.svelte';
import type { Item } from '../plan/model';
import { MINUTE_MS } from '../plan/time';
import { today } from './today.svelte';

const SNOOZE_MINUTES = 10;

export async function sayDone(item: Item): Promise<void> {
  const said = { occ: item.occ, st: 'done', note: '', ...item.reminder.order?.said };
  const rec = await record('completion', said, item);
  if (rec !== null) undo.offer(doneWords(item), () => record('retract', { of: rec }, item));
}

export async function remindAgain(item: Item): Promise<void> {
  const until = new Date(Date.now() + SNOOZE_MINUTES * MINUTE_MS).toISOString();
  const rec = await record('snooze', { occ: item.occ, until }, item);
  if (rec !== null)
    undo.offer(t('resident.undo.snooze', { count: SNOOZE_MINUTES }), () =>
      record('retract', { of: rec }, item),
    );
}

/** Tells those who help; with an occurrence, about that. What was done before cannot be taken back any more: beside a
 *  call for help, "undo" would mean the call. */
export async function askHelp(item: Item | null, why: 'help' | 'unwilling'): Promise<void> {
  undo.forget();
  await record('help', item === null ? { why } : { occ: item.occ, why });
}

export async function takeBack(rec: string): Promise<void> {
  await record('retract', { of: rec });
}

export async function noteRang(item: Item, how: 'sound' | 'silent'): Promise<void> {
  await record('rang', { occ: item.occ, how }, item);
}

/** The new record's id; null when this device holds no space (nothing can be said about nobody). */
async function record(
  coll: string,
  v: Record<string, string>,
  item: Item | null = null,
): Promise<string | null> {
  // What is said about a medicine lies with it.
  const space = item?.reminder.order?.space ?? today.space;
  if (space === null) return null;
  return mos.replica.event(space, coll, { ...v, at: new Date().toISOString() });
}

function doneWords({ family, reminder }: Item): string {
  if (family === 'med') return t('resident.undo.medicine');
  return family === 'meal'
    ? t('resident.undo.meal', { title: reminder.title })
    : t('resident.undo.done', { title: reminder.title });
}
