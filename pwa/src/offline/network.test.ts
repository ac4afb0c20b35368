import { afterEach, expect, it, vi } from 'vitest';

import { httpNetwork } from './network';
import type { Push } from './protocol';

afterEach(() => vi.unstubAllGlobals());

/** How a push fails when this is answered. */
async function failure(answer: Response): Promise<unknown> {
  vi.stubGlobal('fetch', () => Promise.resolve(answer));
  return httpNetwork()
    .push({} as Push)
    .catch((error: unknown) => error);
}

it.each([
  [502, '<h1>Bad Gateway</h1>'],
  [503, '<h1>Service Temporarily Unavailable</h1>'],
  [504, ''],
])(
  'a proxy that says for MOS that it is not there (%i) is no contact with MOS',
  async (status, body) => {
    expect(await failure(new Response(body, { status }))).toMatchObject({ kind: 'offline' });
  },
);

it('a server that asks for patience is there, and gets it', async () => {
  const busy = Response.json({ code: 'try_again', retry_after_s: 3 }, { status: 503 });
  expect(await failure(busy)).toMatchObject({ kind: 'busy', retryAfterMs: 3000 });

  const limited = new Response('', { status: 429, headers: { 'retry-after': '5' } });
  expect(await failure(limited)).toMatchObject({ kind: 'busy', retryAfterMs: 5000 });
});
