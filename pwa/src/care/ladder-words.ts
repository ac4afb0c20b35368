/** What the screens say about steps and ladders. The texts are the supporter's: whoever shows them elsewhere sees to it
 *  that they are there. */
import { has, locale, t } from '../app/i18n.svelte';
import { nameOf } from '../app/mos.svelte';
import type { Criticality } from '../plan/model';
import { USUAL, type Matter, type Step, type Tell, type Way } from './ladder';

/** `Kontaktpersonen`, `Den som har jour`, or somebody's name, as `named` knows it. */
export function tellWords(tell: Tell, named: (account: string) => string | null = nameOf): string {
  if (typeof tell === 'object') return named(tell.account) ?? t('supporter.ladder.account');
  return t(`supporter.ladder.${tell}`);
}

/** `15 min före`, `direkt`, `30 min efter`: as against the end of the grace. */
export function whenWords({ after }: Pick<Step, 'after'>): string {
  if (after === 0) return t('supporter.ladder.at_end');
  return t(after < 0 ? 'supporter.ladder.before_end' : 'supporter.ladder.after_end', {
    minutes: Math.abs(after),
  });
}

/** `notis och SMS`. */
export function waysWords(ways: readonly Way[]): string {
  return new Intl.ListFormat(locale()).format(ways.map((way) => t(`supporter.way.${way}`)));
}

/** A ladder in one line. */
export function stepsWords(
  steps: readonly Step[],
  named?: (account: string) => string | null,
): string {
  return steps.map((step) => `${tellWords(step.tell, named)} ${whenWords(step)}`).join(' · ');
}

/** What MOS does where nobody has chosen otherwise, with what it is for. */
export function usualLadders(): { name: string; steps: readonly Step[] }[] {
  return [
    { name: t('supporter.ladder.ordinary'), steps: USUAL.normal },
    { name: criticalityWords('critical'), steps: USUAL.critical },
  ];
}

/** `Mat, kritiskt`, `Allt`. */
export function matterWords({ category, criticality }: Matter): string {
  const words = [
    category === null ? '' : categoryWords(category),
    criticality === null ? '' : criticalityWords(criticality),
  ].filter(Boolean);
  if (words.length === 0) return t('supporter.ladder.everything');
  const [first = '', second] = words;
  return second === undefined
    ? first
    : `${first}, ${second.charAt(0).toLocaleLowerCase(locale())}${second.slice(1)}`;
}

export function categoryWords(category: string): string {
  const key = `supporter.category.${category === 'other' ? 'another' : category}`;
  return has(key) ? t(key) : category;
}

export function criticalityWords(criticality: Criticality): string {
  return t(`supporter.criticality.${criticality}`);
}
