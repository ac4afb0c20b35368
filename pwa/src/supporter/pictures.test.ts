import { expect, it } from 'vitest';

import { picturesFor } from './pictures';

const WORDS = { fish: 'Fisk, lunch', bed: 'Säng, sova', soup: 'Soppa, lunch' };
const NAMES = ['bed', 'fish', 'soup'] as const;
const pictures = (search: string, title = ''): string[] =>
  picturesFor(NAMES, (name) => WORDS[name], { search, title });

it('finds a picture by the beginning of any of its words, in whatever case', () => {
  expect(pictures('LUN')).toEqual(['fish', 'soup']);
});

it('shows what fits the name first, and all the others after it', () => {
  expect(pictures('', 'Lunch med Jonas')).toEqual(['fish', 'soup', 'bed']);
});

it('says that nothing was found by finding nothing', () => {
  expect(pictures('häst')).toEqual([]);
});
