/** Names of people in sentences. */
import { language } from './i18n.svelte';

/** "Elsa" → "Elsas", "Lars" → "Lars", "Elsa's" in English. Finnish bends names too freely: its texts do without. */
export function possessive(name: string): string {
  switch (language()) {
    case 'sv':
      return /[sxzSXZ]$/.test(name) ? name : `${name}s`;
    case 'en':
      return /[sS]$/.test(name) ? `${name}'` : `${name}'s`;
    case 'fi':
      return name;
  }
}

/** The first of a person's names. */
export function firstName(name: string): string {
  return name.trim().split(/\s+/u)[0] ?? name;
}
