/** Every text a person sees: one catalogue per language and area, of which only what is needed is loaded.
 *  The Swedish files give the type of a key, so a misspelt or missing one does not compile. */
import type admin from '../locales/sv/admin.json';
import type common from '../locales/sv/common.json';
import type delegation from '../locales/sv/delegation.json';
import type kit from '../locales/sv/kit.json';
import type resident from '../locales/sv/resident.json';
import type settings from '../locales/sv/settings.json';
import type signin from '../locales/sv/signin.json';
import type sounds from '../locales/sv/sounds.json';
import type supporter from '../locales/sv/supporter.json';
import type trouble from '../locales/sv/trouble.json';

export const LANGUAGES = ['sv', 'en', 'fi'] as const;
export type Language = (typeof LANGUAGES)[number];

export type Area =
  | 'common'
  | 'signin'
  | 'resident'
  | 'supporter'
  | 'admin'
  | 'delegation'
  | 'settings'
  | 'kit'
  | 'sounds'
  | 'trouble';
type Stored = keyof (typeof common &
  typeof signin &
  typeof resident &
  typeof supporter &
  typeof admin &
  typeof delegation &
  typeof settings &
  typeof kit &
  typeof sounds &
  typeof trouble);
/** `resident.quarters` when `resident.quarters.one` and `.other` are in the catalogue. */
type Counted = BaseOf<Stored>;
type BaseOf<K> = K extends `${infer Base}.other`
  ? `${Base}.one` extends Stored
    ? Base
    : never
  : never;

export type Key = Exclude<
  Stored,
  `${Counted}.${'zero' | 'one' | 'two' | 'few' | 'many' | 'other'}`
>;
export type Params = Readonly<Record<string, string | number>>;
type Catalogue = Readonly<Record<string, string>>;

const LOCALES: Record<Language, string> = { sv: 'sv-SE', en: 'en-GB', fi: 'fi-FI' };
const CHOICE = 'mos.language';
const files = import.meta.glob<Catalogue>(
  '../locales/*/{common,signin,resident,supporter,admin,delegation,settings,kit,sounds,trouble}.json',
  { import: 'default' },
);

let current = $state<Language>('sv');
let texts = $state.raw<Catalogue>({});
const wanted: Area[] = [];
// Two quick choices may finish loading in the wrong order; the last one asked for wins, and the others are over with it.
let showing: Promise<void> = Promise.resolve();

export function language(): Language {
  return current;
}

/** For Intl: `sv-SE`, `en-GB`, `fi-FI`. */
export function locale(): string {
  return LOCALES[current];
}

/** The text of a key in the current language, `{name}` filled from `params`. A key with `.one` and
 *  `.other` needs `count`. A key whose area is not loaded answers with itself. */
export function t(key: Key): string;
export function t(key: Key | Counted, params: Params): string;
export function t(key: string, params: Params = {}): string {
  return fill(
    texts[key] ?? texts[`${key}.${form(params['count'])}`] ?? texts[`${key}.other`] ?? key,
    params,
  );
}

/** Whether the loaded catalogues know a key that was put together from data (an unknown category, say). */
export function has(key: string): key is Key {
  return key in texts;
}

/** Make an area's texts usable. Screens are shown after this has resolved. */
export async function needAreas(...areas: Area[]): Promise<void> {
  const missing = areas.filter((area) => !wanted.includes(area));
  // Somebody else asked, and they may still be on their way.
  if (missing.length === 0) return showing.catch(() => undefined);
  wanted.push(...missing);
  try {
    await show(current);
  } catch (error) {
    // Not there: to be asked for again.
    for (const area of missing) wanted.splice(wanted.indexOf(area), 1);
    throw error;
  }
}

export async function setLanguage(next: Language): Promise<void> {
  await show(next);
  try {
    localStorage.setItem(CHOICE, next);
  } catch {
    // A browser that stores nothing still shows the language, until it is closed.
  }
}

/** This device's choice, else the first of `others` that we speak, else Swedish. */
export function preferredLanguage(others: readonly string[]): Language {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(CHOICE);
  } catch {
    // As above.
  }
  for (const tag of [stored ?? '', ...others]) {
    const known = LANGUAGES.find((each) => each === tag.slice(0, 2).toLowerCase());
    if (known !== undefined) return known;
  }
  return 'sv';
}

function show(next: Language): Promise<void> {
  const turn: Promise<void> = fetchAll(next).then((parts) =>
    turn === showing ? use(next, parts) : showing,
  );
  showing = turn;
  return turn;
}

function fetchAll(from: Language): Promise<Catalogue[]> {
  return Promise.all(wanted.map((area) => fetchTexts(from, area)));
}

function use(next: Language, parts: readonly Catalogue[]): void {
  texts = Object.assign({}, ...parts) as Catalogue;
  current = next;
  document.documentElement.lang = next;
}

async function fetchTexts(from: Language, area: Area): Promise<Catalogue> {
  return (await files[`../locales/${from}/${area}.json`]?.()) ?? {};
}

function form(count: string | number | undefined): Intl.LDMLPluralRule {
  return typeof count === 'number' ? new Intl.PluralRules(locale()).select(count) : 'other';
}

function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => String(params[name] ?? hole));
}
