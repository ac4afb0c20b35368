import { beforeEach, expect, it, vi } from 'vitest';

import type { Spoken } from './sounds';

/** A cache as browsers have it, by the address alone. */
function fakeCaches() {
  const held = new Map<string, string>();
  const cache = {
    keys: () =>
      Promise.resolve([...held.keys()].map((name) => ({ url: `https://mos.test${name}` }))),
    delete: ({ url }: { url: string }) =>
      Promise.resolve(held.delete(url.replace('https://mos.test', ''))),
    put: async (name: string, answer: Response) => {
      held.set(name, await answer.text());
    },
  };
  return {
    held,
    open: () => Promise.resolve(cache),
    match: (name: string) => {
      const found = held.get(name);
      return Promise.resolve(found === undefined ? undefined : new Response(found));
    },
  };
}

const BREAKFAST: Spoken = { space: 's', rec: 'a', title: 'Frukost', note: 'Gröt' };
const DOSE: Spoken = { space: 's', rec: 'b', title: 'Alvedon 500 mg', note: '1 tablett' };
const MORE: Spoken = { ...DOSE, note: '2 tabletter' };

let caches: ReturnType<typeof fakeCaches>;
let asked: string[];
let answer: (path: string) => Promise<Response>;

/** Anew for each test: the module remembers when it was told to wait. */
async function sounds() {
  vi.resetModules();
  return import('./sounds');
}

beforeEach(() => {
  caches = fakeCaches();
  asked = [];
  answer = (path) => Promise.resolve(new Response(path));
  vi.stubGlobal('caches', caches);
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path);
    return answer(path);
  });
});

function problem(status: number, code: string): Response {
  return new Response(JSON.stringify({ code }), { status });
}

it('fetches each sound once, and plays it without a network', async () => {
  const { keep, soundOf, nameOf } = await sounds();
  await keep([BREAKFAST, DOSE], 0);
  answer = () => Promise.reject(new TypeError('offline'));

  const here = await keep([BREAKFAST, DOSE], 1);

  expect(asked).toHaveLength(2);
  expect([...here]).toEqual([nameOf(BREAKFAST), nameOf(DOSE)]);
  expect(new TextDecoder().decode((await soundOf(nameOf(DOSE))) ?? undefined)).toBe(
    '/api/v1/residents/s/speech/b',
  );
});

it('never says a dose as it was before it was changed', async () => {
  const { keep, soundOf, nameOf } = await sounds();
  await keep([DOSE], 0);
  answer = () => Promise.reject(new TypeError('offline'));

  expect(await keep([MORE], 1)).toEqual(new Set());
  expect(await soundOf(nameOf(MORE))).toBeNull();
  expect(caches.held.size).toBe(0);
});

it('asks a server without a voice again after ten minutes, and not for each reminder', async () => {
  const { keep } = await sounds();
  answer = () => Promise.resolve(problem(404, 'no_voice'));
  await keep([BREAKFAST, DOSE], 0);
  await keep([BREAKFAST, DOSE], 9 * 60_000);
  expect(asked).toHaveLength(1);

  answer = (path) => Promise.resolve(new Response(path));
  expect((await keep([BREAKFAST, DOSE], 10 * 60_000)).size).toBe(2);
});

it('goes on with the others where the server knows one reminder not yet', async () => {
  const { keep } = await sounds();
  answer = (path) =>
    Promise.resolve(path.endsWith('/a') ? problem(404, 'not_found') : new Response(path));

  expect((await keep([BREAKFAST, DOSE], 0)).size).toBe(1);
});

const CLIP = `/api/v1/residents/s/clips/${'a'.repeat(64)}`;

it('keeps a clip while a reminder names it, and no longer', async () => {
  const { keep, soundOf } = await sounds();
  await keep([], 0, [CLIP]);
  answer = () => Promise.reject(new TypeError('offline'));

  expect([...(await keep([], 1, [CLIP]))]).toEqual([CLIP]);
  expect(new TextDecoder().decode((await soundOf(CLIP)) ?? undefined)).toBe(CLIP);
  expect(await keep([], 2)).toEqual(new Set());
  expect(caches.held.size).toBe(0);
});

it('asks for a clip again that is on its way to the server, ever more seldom', async () => {
  const { keep } = await sounds();
  answer = () => Promise.resolve(problem(404, 'not_found'));
  for (let minute = 0; minute < 16; minute += 1) await keep([], minute * 60_000, [CLIP]);
  expect(asked).toHaveLength(5);

  answer = (path) => Promise.resolve(new Response(path));
  expect((await keep([], 32 * 60_000, [CLIP])).size).toBe(1);
});

it('fetches clips from a server that has no voice', async () => {
  const { keep } = await sounds();
  answer = (path) => Promise.resolve(path === CLIP ? new Response(path) : problem(404, 'no_voice'));
  await keep([BREAKFAST], 0);

  expect([...(await keep([BREAKFAST], 60_000, [CLIP]))]).toEqual([CLIP]);
});
