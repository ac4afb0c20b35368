import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

const tablet = vi.hoisted(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-27T11:59:00Z') });
  vi.stubGlobal('document', { addEventListener: () => undefined });
  vi.stubGlobal('location', { hash: '' });
  const stored = new Map<string, string>();
  /** `sounding`: how many rings can be heard now; `begun`: how many there were; `told`: who hears of other tabs' words. */
  const state = { stored, full: false, sounding: 0, begun: 0, told: () => undefined as unknown };
  vi.stubGlobal('addEventListener', (name: string, listener: () => unknown) => {
    if (name === 'storage') state.told = listener;
  });
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => {
      if (state.full) throw new DOMException('full', 'QuotaExceededError');
      stored.set(key, value);
    },
  });
  return state;
});

vi.mock('../app/sound', () => ({
  open: () => null,
  learn: () => Promise.resolve(),
  ring: () => {
    tablet.sounding += 1;
    tablet.begun += 1;
    let on = true;
    return () => {
      if (on) tablet.sounding -= 1;
      on = false;
    };
  },
}));

import { mos } from '../app/mos.svelte';
import { sound } from '../app/sound.svelte';
import { MemoryReplica } from '../offline/memory';
import type { Json } from '../offline/model';
import { remember } from './device-memory';
import { ringer } from './ringer.svelte';

const SPACE = 's';
const DAY_MS = 86_400_000;
let noon = Date.parse('2026-11-27T12:00:00Z');
let replica: MemoryReplica;
let stop: () => void;

beforeEach(() => {
  // What a device remembers of one day is nothing to the next.
  noon += DAY_MS;
  vi.setSystemTime(noon - 60_000);
  Object.assign(tablet, { full: false, sounding: 0, begun: 0 });
  sound.elsewhere = false;
});

afterEach(() => stop());

/** The tablet of a resident whose space holds these reminders, a minute before noon. */
async function showDay(...reminders: Record<string, Json>[]): Promise<void> {
  replica = new MemoryReplica('elsa');
  replica.addSpace({ id: SPACE, role: 'resident', permissions: [] });
  mos.open(replica);
  await replica.set(SPACE, 'profile', 'p', { zone: 'UTC', sound: 'soft' });
  for (const [n, reminder] of reminders.entries()) {
    await replica.set(SPACE, 'reminder', `r${n}`, {
      title: 'Lunch',
      category: 'meal',
      minutes: 30,
      ...reminder,
    });
  }
  stop = $effect.root(() => ringer.follow());
  flushSync();
}

function once(clock: string): Json {
  return { zone: 'UTC', kind: 'once', at: `${new Date(noon).toISOString().slice(0, 10)}T${clock}` };
}

async function passes(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  flushSync();
}

it('sounds on while the record of its own ring and other news arrive', async () => {
  await showDay({ rule: once('12:00') });
  expect(tablet.sounding).toBe(0);
  await passes(61_000);
  expect(tablet.sounding).toBe(1);
  expect(replica.rows(SPACE, 'rang')).toHaveLength(1);
  await replica.set(SPACE, 'profile', 'p', { name: 'Elsa' });
  flushSync();
  expect(tablet.sounding).toBe(1);
});

it('rests after a minute and comes back after five', async () => {
  await showDay({ rule: once('12:00') });
  await passes(61_000);
  await passes(60_000);
  expect(tablet.sounding).toBe(0);
  await passes(4 * 60_000);
  expect([tablet.sounding, tablet.begun]).toEqual([1, 2]);
});

it('is not hushed by a word of what begins soon', async () => {
  await showDay(
    { rule: once('12:00') },
    { rule: once('12:10'), ring: { start: true, again: true, before: 10 } },
  );
  await passes(61_000);
  await passes(10_000);
  expect(tablet.sounding).toBe(1);
});

it('is only seen while another tab of the device is heard, and goes on when that one is gone', async () => {
  sound.elsewhere = true;
  await showDay({ rule: once('12:00') });
  await passes(61_000);
  expect([ringer.current?.reminder.title, tablet.sounding]).toEqual(['Lunch', 0]);

  sound.elsewhere = false;
  flushSync();
  expect(tablet.sounding).toBe(1);
});

it('does not go on with what was touched in the tab that was heard', async () => {
  sound.elsewhere = true;
  await showDay({ rule: once('12:00') });
  await passes(61_000);

  ringer.quiet();
  sound.elsewhere = false;
  flushSync();
  expect(tablet.sounding).toBe(0);
  await passes(5 * 60_000);
  expect(tablet.sounding).toBe(1);
});

it('is hushed by a touch in another tab', async () => {
  await showDay({ rule: once('12:00') });
  await passes(61_000);
  expect(tablet.sounding).toBe(1);

  // Something else was kept there.
  tablet.told();
  expect(tablet.sounding).toBe(1);
  remember('rounds', `r0@${new Date(noon).toISOString().slice(0, 10)}T12:00/1`);
  tablet.told();
  expect(tablet.sounding).toBe(0);
});

it('notes a ring once, also in a browser that stores nothing', async () => {
  tablet.full = true;
  await showDay({ rule: once('12:00') });
  await passes(63_000);
  await replica.set(SPACE, 'profile', 'p', { name: 'Elsa' });
  await passes(3_000);
  expect(replica.rows(SPACE, 'rang')).toHaveLength(1);
});
