import { expect, it } from 'vitest';

import { pathOf } from './code';

it.each([
  ['https://mos.example.org/#/inbjudan/K7QM2XHP9DTR4WZC', '/inbjudan/K7QM2XHP9DTR4WZC'],
  ['http://evil.example/#/inbjudan/K7QM2XHP9DTR4WZC', '/inbjudan/K7QM2XHP9DTR4WZC'],
  ['k7qm 2xhp-9dtr 4wzc', '/inbjudan/K7QM2XHP9DTR4WZC'],
  ['o7qm-2xhp-9dtr-4wzl', '/inbjudan/07QM2XHP9DTR4WZ1'],
  ['https://mos.example.org/#/borja/2f7c-91ab', '/borja/2f7c-91ab'],
])('reads %s', (text, path) => {
  expect(pathOf(text)).toBe(path);
});

it.each(['', 'K7QM', 'https://example.org', 'K7QM-2XHP-9DTR-4WZU'])('passes over %s', (text) => {
  expect(pathOf(text)).toBeNull();
});
