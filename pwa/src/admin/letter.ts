/** The words of a letter on paper: in the language of whoever reads it, whatever is read here. */
import type letter from '../locales/sv/letter.json';

export type LetterKey = keyof typeof letter;
export type Words = (key: LetterKey, params?: Readonly<Record<string, string>>) => string;

const files = import.meta.glob<Readonly<Record<string, string>>>('../locales/*/letter.json', {
  import: 'default',
});
const LOCALES: Readonly<Record<string, string>> = { sv: 'sv-SE', en: 'en-GB', fi: 'fi-FI' };

/** Resolves to the words in a language of ours, else in Swedish. */
export async function letterWords(language: string): Promise<Words> {
  const load = files[`../locales/${language}/letter.json`] ?? files['../locales/sv/letter.json'];
  const texts = (await load?.()) ?? {};
  return (key, params = {}) =>
    (texts[key] ?? key).replace(/\{(\w+)\}/g, (hole, name: string) => params[name] ?? hole);
}

/** A day and time as it is written in that language. */
export function letterMoment(at: string, language: string): string {
  return new Intl.DateTimeFormat(LOCALES[language] ?? 'sv-SE', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    hour: '2-digit',
    minute: '2-digit',
  }).format(new Date(at));
}
