import { expect, it } from 'vitest';

import { tidyClock } from './clock-text';

it('clock times are understood as people type them', () => {
  const typed = ['8', '830', '8.30', '8:30', ' 20:30 ', '0', '1205'];
  expect(typed.map(tidyClock)).toEqual([
    '08:00',
    '08:30',
    '08:30',
    '08:30',
    '20:30',
    '00:00',
    '12:05',
  ]);
});

it('what is no time stays as it was typed, to be seen and put right', () => {
  for (const typed of ['24:00', '12:60', 'half past', '', '8:3', '1:2:3']) {
    expect(tidyClock(typed)).toBe(typed);
  }
});
