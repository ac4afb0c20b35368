/** How well a resident's device can be relied on to ring. Pure. */

/** As GET residents/{space}/devices answers. */
export interface ResidentDevice {
  name: string;
  /** Moments, RFC 3339. */
  seen_at: string;
  push: boolean;
  ring_test: { at?: string; sound?: boolean; permission?: string | boolean; push?: boolean } | null;
}

export interface DeviceHealth {
  seen: 'ok' | 'warn';
  ring: 'ok' | 'warn';
  push: 'ok' | 'warn';
  testedAt: string | null;
}

/** An open app says hello each minute; one that has been quiet for longer than this may be off. */
const QUIET_MS = 15 * 60_000;

export function deviceHealth(device: ResidentDevice, now: number): DeviceHealth {
  const test = device.ring_test;
  const testedAt = test?.at ?? null;
  return {
    seen: now - Date.parse(device.seen_at) <= QUIET_MS ? 'ok' : 'warn',
    ring: testedAt !== null && test?.sound === true ? 'ok' : 'warn',
    push: device.push ? 'ok' : 'warn',
    testedAt,
  };
}
