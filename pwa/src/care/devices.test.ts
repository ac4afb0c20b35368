import { describe, expect, it } from 'vitest';

import { deviceHealth, deviceTroubles, isTestOld, waitsForWipe } from './devices';

const NOW = Date.parse('2026-11-27T11:14:00Z');

describe('a device', () => {
  it('that was seen, was heard in the ring test and takes push is all right', () => {
    const device = {
      name: 'Köket',
      seen_at: '2026-11-27T11:13:00Z',
      push: true,
      ring_test: { at: '2026-11-27T07:02:00Z', sound: true, permission: 'granted', push: true },
    };
    expect(deviceHealth(device, NOW)).toEqual({
      seen: 'ok',
      ring: 'ok',
      push: 'ok',
      testedAt: '2026-11-27T07:02:00Z',
    });
  });

  it('that nobody has tested does not count as one that rings', () => {
    const device = { name: '', seen_at: '2026-11-27T10:00:00Z', push: false, ring_test: null };
    expect(deviceHealth(device, NOW)).toMatchObject({ seen: 'warn', ring: 'warn', testedAt: null });
  });

  it('whose test push is under way has not passed it', () => {
    const device = { name: '', seen_at: '2026-11-27T11:13:00Z', push: true, ring_test: {} };
    expect(deviceHealth(device, NOW).ring).toBe('warn');
  });

  it('that was ended is waited for until it says that it is empty', () => {
    const ended = {
      name: 'Köket',
      seen_at: '2026-11-27T10:00:00Z',
      ended_at: '2026-11-27T11:00:00Z',
    };
    expect(waitsForWipe([{ ...ended, wiped_at: null }])).toBe(true);
    expect(waitsForWipe([{ ...ended, wiped_at: '2026-11-27T13:05:00Z' }])).toBe(false);
    expect(waitsForWipe([])).toBe(false);
  });
});

describe('the trouble with a device', () => {
  it('is none where it rings, and none where nothing is known', () => {
    const well = { permission: 'granted', sound: 'on', battery: 12, charging: true } as const;
    expect(deviceTroubles({ ...well, storage_mb: 900 })).toEqual([]);
    expect(deviceTroubles({})).toEqual([]);
  });

  it('is a sound that is off, notifications that are refused, a battery that runs down, no room', () => {
    const ill = { permission: 'denied', sound: 'locked', battery: 12, charging: false } as const;
    expect(deviceTroubles({ ...ill, storage_mb: 10 })).toEqual([
      'sound_locked',
      'denied',
      'battery',
      'full',
    ]);
  });

  it('is not a silence that somebody has chosen', () => {
    expect(deviceTroubles({ sound: 'none' })).toEqual([]);
  });

  it('is a ring test that is three months old', () => {
    expect(isTestOld('2026-08-01T07:00:00Z', NOW)).toBe(true);
    expect(isTestOld('2026-11-01T07:00:00Z', NOW)).toBe(false);
    expect(isTestOld(null, NOW)).toBe(false);
  });
});
