import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { FACE_NAMES, SYMBOLS, SYMBOL_NAMES, symbolUrl } from './symbols';

const openmoji = dirname(createRequire(import.meta.url).resolve('openmoji/package.json'));

describe('pictures', () => {
  it('all exist, in colour and as a line drawing', () => {
    for (const hex of Object.values(SYMBOLS)) {
      expect(existsSync(join(openmoji, 'color/svg', `${hex}.svg`)), hex).toBe(true);
      expect(existsSync(join(openmoji, 'black/svg', `${hex}.svg`)), hex).toBe(true);
    }
  });

  it('that can be chosen have words to search by, in every language', () => {
    for (const language of ['sv', 'en', 'fi']) {
      const file = new URL(`../locales/${language}/kit.json`, import.meta.url);
      const texts = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
      for (const name of [...SYMBOL_NAMES, ...FACE_NAMES]) {
        expect(texts[`kit.symbol.${name}`], `${language} ${name}`).toBeTruthy();
      }
    }
  });

  it('that are not known are shown as something neutral, never as something else', () => {
    expect(symbolUrl('a-picture-of-tomorrow')).toBe('/symbols/neutral.svg');
    expect(symbolUrl('constructor')).toBe('/symbols/neutral.svg');
    expect(symbolUrl('')).toBe('/symbols/neutral.svg');
  });
});
