import { beforeEach, expect, it, vi } from 'vitest';

const page = vi.hoisted(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-27T12:00:00Z') });
  const state = { sounding: 0, told: (_: { key: string }): unknown => undefined };
  vi.stubGlobal('document', { addEventListener: () => undefined, hidden: false });
  vi.stubGlobal('location', { hash: '' });
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
  vi.stubGlobal('addEventListener', (name: string, listener: typeof state.told) => {
    if (name === 'storage') state.told = listener;
  });
  return state;
});

vi.mock('../app/sound', () => ({
  open: () => null,
  ring: () => {
    page.sounding += 1;
    return () => (page.sounding -= 1);
  },
}));

import { sound } from '../app/sound.svelte';
import { attention } from './attention.svelte';
import type { HomeAlert } from './home.svelte';

let id = 0;

/** One more alert than there was. */
function alert(): void {
  const now = Date.now();
  attention.look([], now);
  id += 1;
  const fresh = { alert: { id: String(id), taken: null, closed: null } } as unknown as HomeAlert;
  attention.look([fresh], now);
}

beforeEach(() => {
  attention.quiet();
  Object.assign(page, { sounding: 0 });
  sound.elsewhere = false;
});

it('calls until somebody touches the page', () => {
  alert();
  expect(page.sounding).toBe(1);
  attention.quiet();
  expect(page.sounding).toBe(0);
});

it('leaves the call to another tab, and goes on when that one is gone', () => {
  sound.elsewhere = true;
  alert();
  expect(page.sounding).toBe(0);
  sound.elsewhere = false;
  attention.goOn();
  expect(page.sounding).toBe(1);
});

it('does not go on with what was touched in another tab, or is long past', () => {
  sound.elsewhere = true;
  alert();
  page.told({ key: 'mos.hushed' });
  sound.elsewhere = false;
  attention.goOn();
  expect(page.sounding).toBe(0);

  sound.elsewhere = true;
  alert();
  vi.advanceTimersByTime(60_000);
  sound.elsewhere = false;
  attention.goOn();
  expect(page.sounding).toBe(0);
});
