/** PINs: digits, or pictures in an order, with which a person signs in on this device alone. */

export type PinKind = 'pin' | 'picture';

/** Who can sign in so here, as `GET session/pins` answers. */
export interface PinPerson {
  readonly account: string;
  readonly name: string;
  readonly role: string;
  readonly kind: PinKind;
}

/** In the order in which they are always shown: people remember places, too. The server knows the same twelve. */
export const PICTURES = [
  'apple',
  'cat',
  'key',
  'ball',
  'fish',
  'home',
  'bus',
  'moon',
  'book',
  'candle',
  'guitar',
  'star',
] as const;

export const MOST = 6;
const LEAST = 4;

/** How many digits or pictures there are. */
export function lengthOf(secret: string, kind: PinKind): number {
  if (kind === 'pin') return secret.length;
  return secret === '' ? 0 : secret.split('-').length;
}

/** Whether there are enough to be one; whether it is a good one, the server says. */
export function isWhole(secret: string, kind: PinKind): boolean {
  const length = lengthOf(secret, kind);
  return length >= LEAST && length <= MOST && (kind === 'picture' || /^\d+$/.test(secret));
}
