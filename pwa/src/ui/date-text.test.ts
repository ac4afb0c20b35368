import { expect, it } from 'vitest';

import { tidyDate } from './date-text';

it('days are understood as people type them', () => {
  const typed = ['2026-11-27', '20261127', '261127', '27.11.2026', '27/11 2026', ' 2026/11/27 '];
  for (const each of typed) expect(tidyDate(each)).toBe('2026-11-27');
  expect(tidyDate('1/2 2026')).toBe('2026-02-01');
});

it('what is no day stays as it was typed, to be seen and put right', () => {
  for (const typed of ['2026-02-30', '2026-13-01', 'in spring', '', '27', '27/11']) {
    expect(tidyDate(typed)).toBe(typed);
  }
});
