import { afterEach, beforeEach, expect, it, vi } from 'vitest';

const server = vi.hoisted(() => ({ key: 'AAAA', told: [] as { key: string }[] }));
vi.mock('./api', () => ({
  api: {
    get: async () => ({ key: server.key }),
    put: async (_path: string, body: { key: string }) => void server.told.push(body),
  },
}));
vi.mock('./account', () => ({ deviceId: async () => 'device' }));
vi.mock('./kept', () => ({ device: () => ({ store: { recall: async () => false } }) }));
vi.mock('./worker.svelte', () => ({ worker: {} }));

import { keepOn } from './push';

const DAY_MS = 86_400_000;
let bound: string | null;
let asked: string[];

/** A browser's subscription, which is bound to one key until it is given up. */
function subscription(key: string): unknown {
  return {
    options: { applicationServerKey: Uint8Array.from(atob(key), (c) => c.charCodeAt(0)).buffer },
    unsubscribe: async () => void (bound = null),
    toJSON: () => ({ endpoint: 'https://push.example/1', keys: { p256dh: 'p', auth: 'a' } }),
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  [server.key, server.told, bound, asked] = ['AAAA', [], null, []];
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('Notification', { permission: 'granted' });
  vi.stubGlobal('window', { Notification: {}, PushManager: {} });
  vi.stubGlobal('matchMedia', () => ({ matches: false }));
  const pushManager = {
    getSubscription: async () => (bound === null ? null : subscription(bound)),
    subscribe: async ({ applicationServerKey }: { applicationServerKey: string }) => {
      if (bound !== null && bound !== applicationServerKey) throw new DOMException('another key');
      bound = applicationServerKey;
      asked.push(applicationServerKey);
      return subscription(applicationServerKey);
    },
  };
  vi.stubGlobal('navigator', {
    userAgent: '',
    serviceWorker: { ready: Promise.resolve({ pushManager }) },
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('a push service that does not let go of the old key is waited for no longer than a while', async () => {
  await keepOn();
  server.key = 'BBBB';
  const stuck = {
    ...(subscription('AAAA') as object),
    unsubscribe: () => new Promise(() => undefined),
  };
  const { pushManager } = await navigator.serviceWorker.ready;
  vi.spyOn(pushManager, 'getSubscription').mockResolvedValue(stuck as never);

  const ended = vi.fn();
  void keepOn().catch(ended);
  await vi.advanceTimersByTimeAsync(60_000);

  expect(ended).toHaveBeenCalledWith(expect.objectContaining({ why: 'no_service' }));
});

it('tells the server by which key the device has subscribed', async () => {
  await keepOn();

  expect(server.told).toEqual([
    { endpoint: 'https://push.example/1', p256dh: 'p', auth: 'a', key: 'AAAA' },
  ]);
});

it('subscribes anew within a day when the server has another key, on a device that never starts anew', async () => {
  await keepOn();
  server.key = 'BBBB';
  await vi.advanceTimersByTimeAsync(DAY_MS);

  expect(asked).toEqual(['AAAA', 'BBBB']);
  expect(server.told.map(({ key }) => key)).toEqual(['AAAA', 'BBBB']);
});

it('keeps the subscription while the key is the same', async () => {
  bound = 'AAAA';
  await keepOn();
  await vi.advanceTimersByTimeAsync(DAY_MS);

  expect(bound).toBe('AAAA');
  expect(new Set(asked)).toEqual(new Set(['AAAA']));
});
