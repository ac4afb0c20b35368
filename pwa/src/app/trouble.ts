/** An error of the API in words that help. */
import { ApiError } from './api';
import { locale, t, type Key } from './i18n.svelte';

const WORDS: Readonly<Record<string, Key>> = {
  offline: 'trouble.offline',
  sign_in_failed: 'trouble.sign_in_failed',
  password_short: 'trouble.password_short',
  password_common: 'trouble.password_common',
  password_personal: 'trouble.password_personal',
  password_wrong: 'trouble.password_wrong',
  step_up_needed: 'trouble.step_up_needed',
  passkey_wrong: 'trouble.passkey_wrong',
  passkey_cancelled: 'trouble.passkey_cancelled',
  passkey_there: 'trouble.passkey_there',
  last_way_in: 'trouble.last_way_in',
  code_wrong: 'trouble.code_wrong',
  code_needed: 'trouble.code_needed',
  passkey_needed: 'trouble.passkey_needed',
  totp_off: 'trouble.totp_off',
  pin_form: 'trouble.pin_form',
  pin_common: 'trouble.pin_common',
  pin_wrong: 'trouble.pin_wrong',
  not_bound: 'trouble.not_bound',
  link_gone: 'trouble.link_gone',
  claimed: 'trouble.claimed',
  claim_token: 'trouble.claim_token',
};

/** `now` in ms: a lock is told by the clock time at which it ends. */
export function troubleWords(error: ApiError, now: number): string {
  if (error.status === 429)
    return t('trouble.too_many', { time: clockTime(now, error.retryAfter ?? 60) });
  const known = WORDS[error.code];
  if (known !== undefined) return t(known);
  if (error.status >= 500) return t('trouble.server');
  if (error.field === 'organisation') return t('trouble.organisation');
  return error.field === 'email' ? t('trouble.email') : t('trouble.refused');
}

function clockTime(now: number, seconds: number): string {
  // Rounded up to the minute, so that the time told is never too early.
  const end = Math.ceil((now + seconds * 1000) / 60_000) * 60_000;
  return new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit' }).format(end);
}
