import { expect, it } from 'vitest';

import { CODE, opens, seal } from './code';

it('is opened by its own code and no other, and is not kept as written', async () => {
  const sealed = await seal('4711');
  expect(await opens(sealed, '4711')).toBe(true);
  expect(await opens(sealed, '4712')).toBe(false);
  expect(JSON.stringify(sealed)).not.toContain('4711');
});

it('is four to eight digits', () => {
  expect(['4711', '12345678'].every((code) => CODE.test(code))).toBe(true);
  expect(['471', '123456789', '47a1', ''].some((code) => CODE.test(code))).toBe(false);
});
