import { describe, expect, it } from 'vitest';

import { readRingTest, ringVerdict } from './ring-verdict';

describe('a ring test', () => {
  it('passes only when somebody heard it and a push came through', () => {
    expect(ringVerdict({ sound: true, permission: 'granted', push: true })).toBe('rings');
  });

  it('says that the app must stay open when no push comes through', () => {
    expect(ringVerdict({ sound: true, permission: 'denied', push: false })).toBe('open_only');
  });

  it('calls a device silent that nobody hears, whatever else works', () => {
    expect(ringVerdict({ sound: false, permission: 'granted', push: true })).toBe('silent');
  });

  it('reads what the server kept, and takes a test under way for none', () => {
    const kept = {
      at: '2026-11-25T10:00:00.000Z',
      sound: true,
      permission: 'granted',
      push: false,
    };
    expect(readRingTest(kept)?.at).toBe(Date.parse(kept.at));
    expect(readRingTest({ asked: { nonce: 'x', at: kept.at } })).toBeNull();
    expect(readRingTest(null)).toBeNull();
  });
});
