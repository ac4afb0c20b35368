/** An organisation's webhooks as the API has them (docs/channels/webhook.md). */
import type { Status } from '../../ui/tone';

export interface Webhook {
  readonly id: string;
  readonly address: string;
  readonly label: string;
  /** It answered that it is gone. */
  readonly gone: boolean;
  readonly paused_at: string | null;
  /** So long the secret before signs, too. */
  readonly old_secret_until: string | null;
}

export interface WebhookSecret {
  readonly webhook: Webhook;
  readonly secret: string;
}

export interface Answer {
  readonly at: string;
  readonly kind: string;
  readonly state: 'queued' | 'attempted' | 'sent' | 'seen' | 'failed' | 'expired';
  readonly code: string;
  readonly tries: number;
}

export type WebhookState = 'on' | 'paused' | 'gone';

export function stateOf({ gone, paused_at }: Webhook): WebhookState {
  if (paused_at !== null) return 'paused';
  return gone ? 'gone' : 'on';
}

export const WEBHOOK_CHIP: Record<WebhookState, Status> = {
  on: 'ok',
  paused: 'paused',
  gone: 'missed',
};

/** What came of a message: it was taken, is being tried, or was given up. */
export function cameOf({ state }: Answer): 'sent' | 'trying' | 'failed' | 'dropped' {
  switch (state) {
    case 'sent':
    case 'seen':
      return 'sent';
    case 'queued':
    case 'attempted':
      return 'trying';
    case 'failed':
      return 'failed';
    case 'expired':
      return 'dropped';
  }
}
