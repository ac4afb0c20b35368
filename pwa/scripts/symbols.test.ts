import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

import { SYMBOLS } from '../src/ui/symbols.ts';

it('every picture exists, in colour and as a line drawing', () => {
  const openmoji = dirname(createRequire(import.meta.url).resolve('openmoji/package.json'));
  for (const [name, hex] of Object.entries(SYMBOLS)) {
    if (hex === '') {
      const drawing = join(import.meta.dirname, '../src/ui/drawings', `${name}.svg`);
      expect(existsSync(drawing), name).toBe(true);
      continue;
    }
    expect(existsSync(join(openmoji, 'color/svg', `${hex}.svg`)), hex).toBe(true);
    expect(existsSync(join(openmoji, 'black/svg', `${hex}.svg`)), hex).toBe(true);
  }
});
