/** What the server refused of what a resident did on their own device, in words for them. Pure but for the texts. */
import { t } from '../app/i18n.svelte';
import type { Refused } from '../offline/model';

/** That the device rang is no deed of theirs. */
export function ofPerson(refused: readonly Refused[]): readonly Refused[] {
  return refused.filter(({ coll }) => coll !== 'rang');
}

/** One sentence: what was not saved, and whom to tell. `titleOf` names what an occurrence is of; `null`: not known. */
export function notSavedWords(
  refused: readonly Refused[],
  titleOf: (space: string, reminder: string) => string | null,
): string {
  const [first] = refused;
  if (first === undefined) return '';
  if (refused.some(({ coll }) => coll === 'help')) return t('trouble.resident.help');
  if (refused.length > 1) return t('trouble.resident.several', { count: refused.length });
  const v = first.what['v'];
  const occ = typeof v === 'object' && v !== null && 'occ' in v ? v['occ'] : null;
  const [reminder] = typeof occ === 'string' ? occ.split('@') : [];
  const title = reminder === undefined ? null : titleOf(first.space, reminder);
  return first.coll === 'completion' && title !== null
    ? t('trouble.resident.answer', { title })
    : t('trouble.resident.something');
}
