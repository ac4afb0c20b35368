import { expect, it, vi } from 'vitest';

import { ApiError } from '../app/api';
import { Fetching } from './fetching.svelte';

const offline = new ApiError(0, 'offline');

function aPage() {
  const fetching = new Fetching();
  const looks = ['duty', 'pin'].map(() => vi.fn<() => Promise<void>>().mockRejectedValue(offline));
  const panels = looks.map((look) => fetching.panel(look));
  return { fetching, looks, panels };
}

it('without contact it is said once, and all are tried again together', async () => {
  const { fetching, looks, panels } = aPage();
  await Promise.all(panels.map((panel) => panel.fetch()));
  expect(fetching.lost).toBe(true);
  expect(panels.map(({ away }) => away)).toEqual([true, true]);

  for (const look of looks) look.mockResolvedValue();
  await fetching.again();
  expect(looks.map(({ mock }) => mock.calls.length)).toEqual([2, 2]);
  expect(panels.map(({ away }) => away)).toEqual([false, false]);
  expect(fetching.lost).toBe(false);
});

it('who has got theirs is not asked again, and it stays said while one is left', async () => {
  const { fetching, looks, panels } = aPage();
  looks[0]?.mockResolvedValue();
  await Promise.all(panels.map((panel) => panel.fetch()));
  await fetching.again();
  expect(looks.map(({ mock }) => mock.calls.length)).toEqual([1, 2]);
  expect(fetching.lost).toBe(true);
});

it('a panel that has left the page is no longer waited for, answer or not', async () => {
  const { fetching, looks, panels } = aPage();
  let fail = (): void => undefined;
  looks[0]?.mockReturnValue(new Promise((_, reject) => (fail = () => reject(offline))));
  const leave = panels[0]?.start();
  leave?.();
  fail();
  await vi.waitFor(() => expect(looks[0]).toHaveBeenCalledOnce());
  await Promise.resolve();
  expect(fetching.lost).toBe(false);
});

it('a refusal is no lack of contact: it is the panel’s own to tell', async () => {
  const fetching = new Fetching();
  const panel = fetching.panel(() => Promise.reject(new ApiError(403, 'forbidden')));
  await expect(panel.fetch()).rejects.toMatchObject({ code: 'forbidden' });
  expect([fetching.lost, panel.away]).toEqual([false, false]);
});
