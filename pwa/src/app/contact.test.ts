import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { seekContact } from './contact';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('seeks lost contact at least every ten seconds while somebody looks, until it is there', () => {
  let [lost, sought] = [true, 0];
  const end = seekContact({ isWanted: () => lost, seek: () => sought++, chance: () => 1 });
  vi.advanceTimersByTime(10_000);
  expect(sought).toBe(1);
  vi.advanceTimersByTime(50_000);
  expect(sought).toBe(6);
  lost = false;
  vi.advanceTimersByTime(600_000);
  expect(sought).toBe(6);
  lost = true;
  vi.advanceTimersByTime(10_000);
  expect(sought).toBe(7);
  end();
  vi.advanceTimersByTime(60_000);
  expect(sought).toBe(7);
});
