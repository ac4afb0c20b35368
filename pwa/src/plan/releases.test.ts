import { expect, it } from 'vitest';

import { zoneRelease } from './releases';

it('tells the release that this machine has, up to the last change that moved a clock', () => {
  // Node names its release; browsers do not.
  const { tz } = (globalThis as unknown as { process: { versions: { tz: string } } }).process
    .versions;
  const marked = ['2025a', '2025b', '2026a', '2026b', '2026c', '2026d', '2026e', '2026f'];
  expect(zoneRelease()).toBe(marked.filter((release) => release <= tz).at(-1) ?? '');
});
