import { expect, it } from 'vitest';

import { guessName } from './device-name';

const KIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const MAC = `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${KIT} Version/18.0 Safari/605.1.15`;

it.each([
  [
    `Mozilla/5.0 (Windows NT 10.0) ${KIT} Chrome/141.0 Safari/537.36 Edg/141.0`,
    0,
    'Windows · Edge',
  ],
  [`Mozilla/5.0 (Linux; Android 15) ${KIT} Chrome/141.0 Safari/537.36`, 5, 'Android · Chrome'],
  [MAC, 0, 'Mac · Safari'],
  [MAC, 5, 'iPad · Safari'],
  ['curl', 0, ''],
])('%s is told by machine and browser', (agent, touches, name) => {
  expect(guessName(agent, touches)).toBe(name);
});
