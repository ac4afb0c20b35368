import { beforeEach, expect, it, vi } from 'vitest';

import { needAreas, setLanguage, t } from './i18n.svelte';

/** Lets the Swedish texts of an area arrive: at once, late or not at all. */
const fetching = vi.hoisted(() => ({
  settings: () => Promise.resolve(),
  trouble: () => new Promise((resolve) => setTimeout(resolve, 20)),
}));

vi.mock('../locales/sv/settings.json', async (original) => {
  await fetching.settings();
  return original();
});
vi.mock('../locales/sv/trouble.json', async (original) => {
  await fetching.trouble();
  return original();
});

beforeEach(() => {
  vi.stubGlobal('document', { documentElement: {} });
});

it('asks again for texts that did not come', async () => {
  fetching.settings = () => Promise.reject(new TypeError('no network'));
  await expect(needAreas('settings')).rejects.toThrow();

  fetching.settings = () => Promise.resolve();
  await needAreas('settings');

  expect(t('settings.title')).not.toBe('settings.title');
});

it('is ready only when the texts are, however many were asked for at once', async () => {
  const first = needAreas('signin');
  const second = needAreas('trouble');
  await first;
  expect(t('signin.title')).not.toBe('signin.title');
  await second;
  expect(t('trouble.offline')).not.toBe('trouble.offline');
});

it('shows the language that was asked for last', async () => {
  await Promise.all([setLanguage('en'), setLanguage('fi'), setLanguage('sv')]);
  expect(t('signin.title')).toBe('Logga in');
});
