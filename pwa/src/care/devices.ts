/** How well a resident's device can be relied on to ring, and what became of one that was ended. Pure. */

/** As GET residents/{space}/devices answers. */
export interface ResidentDevice {
  /** Null for whoever may not end it. */
  id: string | null;
  name: string;
  /** Moments, RFC 3339. */
  seen_at: string;
  /** What its last heartbeat said; null: it could not tell. */
  kiosk?: boolean;
  permission?: 'granted' | 'denied' | 'default' | null;
  sound?: 'on' | 'locked' | 'none' | null;
  battery?: number | null;
  charging?: boolean | null;
  storage_mb?: number | null;
  push: boolean;
  ring_test: { at?: string; sound?: boolean; permission?: string | boolean; push?: boolean } | null;
  /** When it said that it has forgotten what the resident's space holds. */
  purged_at: string | null;
  /** Which kind of PIN its resident signs in with there. */
  pin?: 'pin' | 'picture' | null;
}

/** As GET residents/{space}/devices/ended answers. */
export interface EndedDevice {
  name: string;
  seen_at: string;
  ended_at: string;
  /** When it said that it has forgotten everything; null as long as nobody knows. */
  wiped_at: string | null;
}

export interface DeviceHealth {
  seen: 'ok' | 'warn';
  ring: 'ok' | 'warn';
  push: 'ok' | 'warn';
  testedAt: string | null;
}

/** An open app says hello every five minutes; one that has been quiet for longer than this may be off. */
const QUIET_MS = 15 * 60_000;

/** Percent, and MB, below which somebody should do something about it. */
const LOW_BATTERY = 20;
const LOW_STORAGE_MB = 50;
/** Tablets are moved, updated and turned down: a ring test older than this says little. */
const TEST_LASTS_MS = 90 * 86_400_000;

export type DeviceTrouble = 'sound_locked' | 'denied' | 'battery' | 'full';

/** What stands in the way of a device's next ring, by its own last word. What it could not tell is no trouble. */
export function deviceTroubles(
  device: Pick<ResidentDevice, 'permission' | 'sound' | 'battery' | 'charging' | 'storage_mb'>,
): DeviceTrouble[] {
  const { battery, storage_mb: room } = device;
  const low = battery != null && battery < LOW_BATTERY && device.charging === false;
  const has: Record<DeviceTrouble, boolean> = {
    sound_locked: device.sound === 'locked',
    denied: device.permission === 'denied',
    battery: low,
    full: room != null && room < LOW_STORAGE_MB,
  };
  return (Object.keys(has) as DeviceTrouble[]).filter((each) => has[each]);
}

/** Whether a ring test that went well is too old to be relied on. */
export function isTestOld(testedAt: string | null, now: number): boolean {
  return testedAt !== null && now - Date.parse(testedAt) > TEST_LASTS_MS;
}

export function deviceHealth(
  device: Pick<ResidentDevice, 'seen_at' | 'push' | 'ring_test'>,
  now: number,
): DeviceHealth {
  const test = device.ring_test;
  const testedAt = test?.at ?? null;
  return {
    seen: now - Date.parse(device.seen_at) <= QUIET_MS ? 'ok' : 'warn',
    ring: testedAt !== null && test?.sound === true ? 'ok' : 'warn',
    push: device.push ? 'ok' : 'warn',
    testedAt,
  };
}

/** Does anybody still wait to hear that a device has forgotten everything? */
export function waitsForWipe(ended: readonly EndedDevice[]): boolean {
  return ended.some(({ wiped_at }) => wiped_at === null);
}
