import { expect, it } from 'vitest';

import { zoneChoices, zoneName } from './zones';

it('a zone is called by its city', () => {
  expect(zoneName('Europe/Stockholm')).toBe('Stockholm (Europe)');
  expect(zoneName('America/Argentina/Rio_Gallegos')).toBe('Rio Gallegos (America, Argentina)');
  expect(zoneName('UTC')).toBe('UTC');
});

it('the zone that is used can be kept, also one that the browser does not list', () => {
  const [first] = zoneChoices('Europe/Kyjiv');
  expect(first?.value).toBe('Europe/Kyjiv');
});

it('every zone is there once', () => {
  const values = zoneChoices('Europe/Stockholm').map(({ value }) => value);
  expect(new Set(values).size).toBe(values.length);
  expect(values).toContain('Australia/Adelaide');
});
