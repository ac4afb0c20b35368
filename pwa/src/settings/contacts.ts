/** Where somebody is told beside their devices, as the API has it, and what may go wrong with it in words. */
import { ApiError } from '../app/api';
import { has, t } from '../app/i18n.svelte';
import { troubleWords } from '../app/trouble';

export const WHENS = ['always', 'important', 'critical', 'last'] as const;
export type When = (typeof WHENS)[number];

export interface Contact {
  readonly id: string;
  readonly channel: 'email' | 'sms';
  readonly address: string;
  readonly label: string;
  readonly when: When;
  readonly verified: boolean;
  readonly gone: boolean;
}

/** Whether the service took a message, and else why not, in its own short word. */
export interface Sent {
  readonly sent: boolean;
  readonly code: string | null;
}

export function contactTrouble(error: ApiError, now: number): string {
  const key = `settings.contact.error.${error.field ?? error.code}`;
  return has(key) ? t(key) : troubleWords(error, now);
}
