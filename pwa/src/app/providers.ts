/** Identity providers: away to one, back from it, and what went wrong on the way in words that help. */
import type { ApiError } from './api';
import { t, type Key } from './i18n.svelte';
import { troubleWords } from './trouble';

/** Where the browser goes to prove who somebody is. */
export interface Elsewhere {
  readonly url: string;
}

/** What the provider's answer says, as it stands in the address. */
export interface ProviderAnswer {
  readonly code: string;
  readonly state: string;
  readonly iss?: string;
}

/** What somebody went there for: the state's first letter says it (docs/api.md). */
export type Errand = 'enter' | 'step' | 'link';

const ERRANDS: Readonly<Record<string, Errand>> = { e: 'enter', a: 'enter', s: 'step', l: 'link' };

/** Told in every tab once somebody has proved at their provider who they are. */
export const STEPPED_UP = 'mos-stepped-up';

const WORDS: Readonly<Record<string, Key>> = {
  oidc_ended: 'signin.provider.ended',
  oidc_refused: 'signin.provider.refused',
  oidc_unavailable: 'signin.provider.unavailable',
  oidc_off: 'signin.provider.off',
  identity_unknown: 'signin.provider.unknown',
  identity_other: 'signin.provider.other',
  identity_stale: 'signin.provider.stale',
  identity_taken: 'signin.provider.taken',
  identity_off: 'signin.provider.unknown',
  second_factor_needed: 'signin.provider.one_step',
};

export function errandOf(query: URLSearchParams): Errand {
  return ERRANDS[query.get('state')?.[0] ?? ''] ?? 'enter';
}

/** The answer that a provider sent along; null where it said no, or nothing that could be used. */
export function answerOf(query: URLSearchParams): ProviderAnswer | null {
  const code = query.get('code');
  const state = query.get('state');
  const iss = query.get('iss');
  if (code === null || state === null || query.has('error')) return null;
  return { code, state, ...(iss !== null && { iss }) };
}

/** `now` in ms. */
export function providerWords(error: ApiError, now: number): string {
  const known = WORDS[error.code];
  return known === undefined ? troubleWords(error, now) : t(known);
}
