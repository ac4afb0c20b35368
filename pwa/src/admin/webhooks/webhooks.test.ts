import { describe, expect, it } from 'vitest';

import { cameOf, stateOf, type Answer, type Webhook } from './webhooks';

const HOOK: Webhook = {
  id: 'a',
  address: 'https://example.org/',
  label: '',
  gone: false,
  paused_at: null,
  old_secret_until: null,
};

describe('a webhook', () => {
  it('that somebody has paused is paused, whatever it answered', () => {
    expect(stateOf(HOOK)).toBe('on');
    expect(stateOf({ ...HOOK, gone: true })).toBe('gone');
    expect(stateOf({ ...HOOK, gone: true, paused_at: '2026-11-27T08:00:00Z' })).toBe('paused');
  });
});

describe('a message', () => {
  const message = (state: Answer['state']): Answer => ({
    at: '2026-11-27T08:00:00Z',
    kind: 'alert',
    state,
    code: '',
    tries: 1,
  });

  it('is being tried until it was taken or given up', () => {
    const states = ['queued', 'attempted', 'sent', 'failed', 'expired'] as const;
    expect(states.map((state) => cameOf(message(state)))).toEqual([
      'trying',
      'trying',
      'sent',
      'failed',
      'dropped',
    ]);
  });
});
