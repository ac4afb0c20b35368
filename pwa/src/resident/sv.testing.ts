/** The Swedish texts as `t` gives them, for tests: the app's own loads them for a page. */
import sv from '../locales/sv/resident.json';

const texts = new Map<string, string>(Object.entries(sv));

export function t(key: string, params: Readonly<Record<string, string | number>> = {}): string {
  const form = new Intl.PluralRules('sv').select(Number(params['count'] ?? 0));
  const text = texts.get(key) ?? texts.get(`${key}.${form}`) ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(params[name]));
}
export const locale = (): string => 'sv-SE';
export const language = (): string => 'sv';
