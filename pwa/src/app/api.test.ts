import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { api, onUnreached } from './api';

const told = vi.fn();

beforeEach(() => onUnreached(told));
afterEach(() => {
  onUnreached(() => undefined);
  told.mockReset();
  vi.unstubAllGlobals();
});

it('a request that met no server tells so at once', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  await expect(api.get('session')).rejects.toMatchObject({ status: 0, code: 'offline' });
  expect(told).toHaveBeenCalledOnce();
});

it('a proxy that says for MOS that it is not there is no contact', async () => {
  vi.stubGlobal('fetch', () =>
    Promise.resolve(new Response('<h1>Bad Gateway</h1>', { status: 502 })),
  );
  await expect(api.get('session')).rejects.toMatchObject({ status: 502 });
  expect(told).toHaveBeenCalledOnce();
});

it('an answer is contact, even a refusal', async () => {
  const refusal = { status: 403, headers: { 'content-type': 'application/problem+json' } };
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('{"code":"forbidden"}', refusal)));
  await expect(api.get('channels')).rejects.toMatchObject({ status: 403, code: 'forbidden' });
  expect(told).not.toHaveBeenCalled();
});
