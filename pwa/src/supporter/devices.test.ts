import { describe, expect, it } from 'vitest';

import { deviceHealth } from './devices';

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
});
