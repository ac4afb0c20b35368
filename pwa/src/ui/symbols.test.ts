import { describe, expect, it } from 'vitest';

import en from '../locales/en/kit.json';
import fi from '../locales/fi/kit.json';
import sv from '../locales/sv/kit.json';
import { FACE_NAMES, SYMBOL_NAMES, symbolUrl } from './symbols';

describe('pictures', () => {
  it('that can be chosen have words to search by, in every language', () => {
    for (const [language, texts] of Object.entries({ sv, en, fi })) {
      const words = new Map(Object.entries(texts));
      for (const name of [...SYMBOL_NAMES, ...FACE_NAMES]) {
        expect(words.get(`kit.symbol.${name}`), `${language} ${name}`).toBeTruthy();
      }
    }
  });

  it('that are not known are shown as something neutral, never as something else', () => {
    expect(symbolUrl('a-picture-of-tomorrow')).toBe('/symbols/neutral.svg');
    expect(symbolUrl('constructor')).toBe('/symbols/neutral.svg');
    expect(symbolUrl('')).toBe('/symbols/neutral.svg');
  });
});
