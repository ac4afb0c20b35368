import { expect, it } from 'vitest';

import vectors from '../../../spec/vectors/pins.json';
import { isSymbol } from '../ui/symbols';
import { isWhole, PICTURES } from './pins';

it('shows the pictures that the server knows, each with a picture of its own', () => {
  expect(PICTURES).toEqual(vectors.pictures);
  expect(PICTURES.every(isSymbol)).toBe(true);
});

it('takes four to six of them, or of digits', () => {
  expect(isWhole('4937', 'pin')).toBe(true);
  expect(isWhole('cat-bus-moon-key', 'picture')).toBe(true);
  for (const digits of ['493', '4937210', '49a7']) expect(isWhole(digits, 'pin')).toBe(false);
  expect(isWhole('cat-bus-moon', 'picture')).toBe(false);
  expect(isWhole('', 'picture')).toBe(false);
});
