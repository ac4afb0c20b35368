/** How the organisation reaches the services behind its channels, as the API has it (docs/channels). */
import type { Status } from '../ui/tone';

export interface Channel {
  readonly channel: 'email' | 'sms';
  readonly state: 'own' | 'installation' | 'off' | 'broken';
  readonly settings: Readonly<Record<string, unknown>> | null;
  readonly has_secret: boolean;
  /** What a month (UTC) may cost, in hundredths of `settings.currency`; null where nothing stops it. */
  readonly cap: number | null;
  /** What this month has cost, in the same hundredths, and how many messages that was. */
  readonly spent: number;
  readonly messages: number;
  /** Since when the cap holds this month's messages back. */
  readonly capped_at: string | null;
}

export interface Tried {
  readonly outcome: 'sent' | 'later' | 'refused' | 'gone';
  readonly code: string;
  /** What the service itself said. */
  readonly words: string;
  readonly took_ms: number;
}

export interface DeadLetter {
  readonly id: string;
  readonly channel: string;
  readonly code: string;
  readonly account: string | null;
  readonly at: string;
}

/** How a leg of the chain stands: when a reminder of nobody's last came through it, and how quickly. */
export interface Leg {
  readonly state: 'ok' | 'not yet' | 'not watched' | 'broken';
  readonly at: string | null;
  readonly took_ms: number | null;
}

/** What was expected to ring on the last 24 hours until `until`, and what was told; null: not judged yet. */
export interface SelfWatch {
  readonly until: string | null;
  readonly expected: number;
  readonly told: number;
  readonly late: number;
  readonly excused: number;
  readonly missing: number;
  readonly gaps: readonly {
    readonly from_at: string;
    readonly expected: number;
    readonly missing: number;
  }[];
  readonly chain: Leg;
  readonly push: Leg;
}

export type ChannelField =
  | 'host'
  | 'port'
  | 'security'
  | 'login'
  | 'sender'
  | 'name'
  | 'provider'
  | 'url'
  | 'price'
  | 'currency';

export const FIELDS: Record<Channel['channel'], readonly ChannelField[]> = {
  email: ['host', 'port', 'security', 'sender', 'name', 'login'],
  sms: ['provider', 'sender', 'url', 'price', 'currency', 'login'],
};

export const OPTIONS: Readonly<Partial<Record<ChannelField, readonly string[]>>> = {
  security: ['starttls', 'tls'],
  provider: ['46elks', 'twilio', 'gateway'],
};

export const STATE_CHIP: Record<Channel['state'], Status> = {
  own: 'ok',
  installation: 'ok',
  off: 'info',
  broken: 'missed',
};

/** The form's first words: what is set, else the first of what there is to choose. */
export function settingsOf({ channel, settings }: Channel): Partial<Record<ChannelField, string>> {
  return Object.fromEntries(
    FIELDS[channel].map((field) => {
      const value = settings?.[field];
      const known = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
      return [field, known || (OPTIONS[field]?.[0] ?? '')];
    }),
  );
}
