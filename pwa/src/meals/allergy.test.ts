import { expect, it } from 'vitest';

import cases from '../../../spec/vectors/allergy.json';
import { ALLERGENS, whatCounts, type Allergy, type Lowering } from './allergy';

interface Counts {
  name: string;
  ask: string;
  allergies: Record<string, Allergy>;
  lowerings: Lowering[];
  counts: Record<string, string>;
}
const counting = (cases as unknown as Counts[]).filter(({ ask }) => ask === 'counts');

it.each(counting)('what counts: $name', ({ allergies, lowerings, counts }) => {
  expect(whatCounts(allergies, lowerings)).toEqual(counts);
  const backwards = Object.fromEntries(Object.entries(allergies).reverse());
  expect(whatCounts(backwards, lowerings)).toEqual(counts);
});

it('knows the 28 substances', () => {
  expect(new Set(ALLERGENS).size).toBe(28);
});
