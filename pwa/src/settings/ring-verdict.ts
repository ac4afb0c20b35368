/** What a ring test means. Pure. */

export interface RingResult {
  /** Somebody heard it. */
  readonly sound: boolean;
  readonly permission: NotificationPermission;
  /** A real push message came back. */
  readonly push: boolean;
}

/** `rings`: open or closed. `open_only`: it sounds, but only while MOS is open. `silent`: nobody hears it. */
export type RingVerdict = 'rings' | 'open_only' | 'silent';

export function ringVerdict({ sound, push }: RingResult): RingVerdict {
  if (!sound) return 'silent';
  return push ? 'rings' : 'open_only';
}

/** As the server keeps it with the device; anything else is no result. */
export function readRingTest(stored: unknown): (RingResult & { readonly at: number }) | null {
  if (typeof stored !== 'object' || stored === null) return null;
  const { at, sound, permission, push } = stored as Record<string, unknown>;
  if (typeof at !== 'string' || typeof sound !== 'boolean' || typeof push !== 'boolean')
    return null;
  const known = (['granted', 'denied', 'default'] as const).find((each) => each === permission);
  return known === undefined ? null : { at: Date.parse(at), sound, permission: known, push };
}
