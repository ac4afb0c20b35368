import { beforeEach, expect, it, vi } from 'vitest';

/** A window's address and history, as far as leaving a screen needs them. */
const page = vi.hoisted(() => {
  const heard = new Map<string, (event: unknown) => void>();
  const place = { hash: '#/planering/1/ny' };
  vi.stubGlobal('location', place);
  vi.stubGlobal('addEventListener', (name: string, told: (event: unknown) => void) =>
    heard.set(name, told),
  );
  const to = (_: unknown, __: string, hash: string): void => void (place.hash = hash);
  vi.stubGlobal('history', { pushState: to, replaceState: to });
  return { heard, place };
});

import { Leaving } from './leaving.svelte';

let dirty = true;
let leaving: Leaving;

beforeEach(() => {
  page.place.hash = '#/planering/1/ny';
  dirty = true;
  leaving = new Leaving(() => dirty);
  leaving.watch();
});

function wander(hash: string): void {
  page.place.hash = hash;
  page.heard.get('popstate')?.({});
}

it('goes on to the list when all is saved', () => {
  leaving.finish('/planering/1');

  expect(page.place.hash).toBe('#/planering/1');
});

it('asks before unsaved work is left, and leaves once that is meant', () => {
  wander('#/installningar');
  expect(page.place.hash).toBe('#/planering/1/ny');

  leaving.leave();
  expect(page.place.hash).toBe('#/installningar');
});

it('goes where somebody wanted to go while it was saved, not back to the list', () => {
  wander('#/installningar');

  leaving.finish('/planering/1');

  expect(page.place.hash).toBe('#/installningar');
});

it('leaves whoever is elsewhere already where they are', () => {
  dirty = false;
  wander('#/installningar');

  leaving.finish('/planering/1');

  expect(page.place.hash).toBe('#/installningar');
});
