import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { keepScreenOn } from './wake-lock';

let page: EventTarget & { hidden: boolean };
let held: number;

beforeEach(() => {
  page = Object.assign(new EventTarget(), { hidden: false });
  held = 0;
  vi.stubGlobal('document', page);
  vi.stubGlobal('navigator', {
    wakeLock: {
      request: async () => {
        held += 1;
        return { release: async () => void (held -= 1) };
      },
    },
  });
});

afterEach(() => vi.unstubAllGlobals());

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

async function turn(hidden: boolean): Promise<void> {
  page.hidden = hidden;
  // As browsers do.
  if (hidden) held = 0;
  page.dispatchEvent(new Event('visibilitychange'));
  await settle();
}

it('asks again when the page comes back', async () => {
  const release = keepScreenOn();
  await settle();
  await turn(true);
  await turn(false);
  expect(held).toBe(1);
  release();
  await settle();
  expect(held).toBe(0);
  await turn(false);
  expect(held).toBe(0);
});

it('lets go of what was granted too late', async () => {
  keepScreenOn()();
  await settle();
  expect(held).toBe(0);
});
