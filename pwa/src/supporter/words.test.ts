import { beforeEach, describe, expect, it, vi } from 'vitest';

import { needAreas, setLanguage } from '../app/i18n.svelte';
import { asOfWords, dayAndClock, hoursWords, shortDate } from './words';

const ZONE = 'Europe/Helsinki';

beforeEach(() => vi.stubGlobal('document', { documentElement: {} }));

async function read(language: 'sv' | 'en' | 'fi'): Promise<void> {
  await needAreas('supporter');
  await setLanguage(language);
}

describe('a short date', () => {
  it.each([
    ['sv', '25 nov'],
    ['en', '25 Nov'],
    ['fi', '25.11.'],
  ] as const)('is written as people do in %s', async (language, words) => {
    await read(language);
    expect(shortDate('2026-11-25')).toBe(words);
  });
});

it('what did not happen today is told with its day', async () => {
  await read('sv');
  const at = (local: string) => Date.parse(`${local}+02:00`);
  const words = (local: string) => dayAndClock(at(local), ZONE, '2026-11-27');
  expect(words('2026-11-27T08:05')).toBe('08:05');
  expect(words('2026-11-26T08:05')).toBe('i går 08:05');
  expect(words('2026-11-25T08:05')).toBe('25 nov 08:05');
});

it('hours are written with the language’s own comma', async () => {
  await read('fi');
  expect(hoursWords(630)).toBe('10,5 h');
  await read('en');
  expect(hoursWords(600)).toBe('10 h');
});

it('when it was so is told with its day, as it stands within a sentence', async () => {
  const words = (local: string) =>
    asOfWords(Date.parse(`${local}+02:00`), { zone: ZONE, today: '2026-11-27' });
  await read('sv');
  expect(words('2026-11-27T12:50')).toBe('kl. 12:50');
  expect(words('2026-11-26T21:14')).toBe('i går kl. 21:14');
  await read('en');
  expect(words('2026-11-25T21:14')).toBe('25 Nov at 21:14');
  await read('fi');
  expect(words('2026-11-25T21:14')).toBe('25.11. klo 21:14');
});
