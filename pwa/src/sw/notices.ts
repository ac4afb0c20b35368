/** What a push message says, and the notification it becomes. Pure: the records and the words are arguments. */

const TOLD = ['near', 'cap', 'emergency', 'delegation'] as const;
type Told = (typeof TOLD)[number];

/** As the server sends it: ids only. */
export type Payload =
  | { readonly kind: 'ring'; readonly space: string; readonly occ: string }
  /** `quiet`: another about the same resident sounds in the same moment. */
  | {
      readonly kind: 'alert';
      readonly space: string;
      readonly alert: string;
      readonly quiet: boolean;
    }
  | { readonly kind: 'close'; readonly tag: string }
  | { readonly kind: 'test'; readonly nonce: string }
  /** To those who manage: SMS cost nearly the cap, or have reached it; staff opened somebody in an emergency. To
   *  whom it concerns: a delegation is new, was taken back or is soon over. */
  | { readonly kind: 'notice'; readonly what: Told }
  /** Came without content, which its service found too large: something waits. */
  | { readonly kind: 'unknown' };

/** What this device knows about what the message names; `null` where it knows nothing. */
export interface Known {
  /** The reminder's title, or the medicine's. */
  readonly title: string | null;
  /** The resident's name. */
  readonly name: string | null;
  /** `late`, `missed`, `help`, `silent`, `conflict`, `double`, `unentitled`. */
  readonly alert: string | null;
  /** The version of the order that it is a dose of. */
  readonly ver: string | null;
}

export type Words = (key: string, params?: Readonly<Record<string, string>>) => string;

/** Where a tap on the notification leads. */
export type Target =
  | {
      readonly kind: 'ring';
      readonly space: string;
      readonly occ: string;
      /** The version that was shown, of an order. */
      readonly ver?: string;
    }
  | { readonly kind: 'alert'; readonly space: string; readonly alert: string }
  | { readonly kind: 'test' }
  | { readonly kind: 'channels' }
  | { readonly kind: 'logs' }
  | { readonly kind: 'delegations' }
  | { readonly kind: 'home' };

const TARGETS = {
  near: 'channels',
  cap: 'channels',
  emergency: 'logs',
  delegation: 'delegations',
} as const;

export interface Notice {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  /** Stands there without a sound. */
  readonly quiet: boolean;
  readonly actions: readonly { readonly action: string; readonly title: string }[];
  readonly target: Target;
}

export function readPayload(text: string): Payload | null {
  if (text === '') return { kind: 'unknown' };
  let told: Record<string, unknown>;
  try {
    told = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
  const { kind, space, occ, alert, quiet, tag, nonce, what } = told;
  if (kind === 'ring' && isText(space) && isText(occ)) return { kind, space, occ };
  if (kind === 'alert' && isText(space) && isText(alert))
    return { kind, space, alert, quiet: quiet === true };
  if (kind === 'close' && isText(tag)) return { kind, tag };
  if (kind === 'test' && isText(nonce)) return { kind, nonce };
  const notice = TOLD.find((each) => each === what);
  if (kind === 'notice' && notice !== undefined) return { kind, what: notice };
  return null;
}

export function noticeOf(
  payload: Exclude<Payload, { kind: 'close' }>,
  known: Known,
  words: Words,
): Notice {
  switch (payload.kind) {
    case 'ring':
      return {
        title: known.title ?? words('push.ring.unknown'),
        body: words('push.ring.body', { time: timeOf(payload.occ) }),
        tag: payload.occ,
        quiet: false,
        actions: [
          { action: 'done', title: words('push.done') },
          { action: 'again', title: words('push.again') },
        ],
        target: known.ver === null ? payload : { ...payload, ver: known.ver },
      };
    case 'alert':
      return {
        title: alertTitle(known, words),
        body: words('push.open'),
        tag: payload.alert,
        quiet: payload.quiet,
        actions: [{ action: 'take', title: words('push.take') }],
        target: { kind: 'alert', space: payload.space, alert: payload.alert },
      };
    case 'test':
      return {
        title: words('push.test.title'),
        body: words('push.test.body'),
        tag: 'test',
        quiet: false,
        actions: [],
        target: { kind: 'test' },
      };
    case 'notice':
      return {
        title: words(`push.notice.${payload.what}`),
        body: words('push.open'),
        tag: 'notice',
        // Nobody is woken by what things cost, or by what is looked at afterwards.
        quiet: true,
        actions: [],
        target: { kind: TARGETS[payload.what] },
      };
    case 'unknown':
      return {
        title: words('push.unknown'),
        body: words('push.open'),
        tag: 'unknown',
        quiet: false,
        actions: [],
        target: { kind: 'home' },
      };
  }
}

function alertTitle({ alert, name, title }: Known, words: Words): string {
  if (name === null) return words('push.alert.unknown');
  if (alert === 'help') return words('push.alert.help', { name });
  if (alert === 'unwilling')
    return title === null
      ? words('push.alert.unwilling_somebody', { name })
      : words('push.alert.unwilling', { name, title });
  if (alert === 'silent') return words('push.alert.silent', { name });
  if (alert === 'conflict') return words('push.alert.conflict', { name });
  if (alert === 'double') return words('push.alert.double', { name });
  if (alert === 'unentitled') return words('push.alert.unentitled', { name });
  if (title === null) return words('push.alert.somebody', { name });
  return words(alert === 'missed' ? 'push.alert.missed' : 'push.alert.late', { name, title });
}

/** `reminder@2026-11-27T08:00` → `08:00`. */
function timeOf(occ: string): string {
  return occ.split('T')[1] ?? '';
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
