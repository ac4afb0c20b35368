/** The app's files on this device: all of one release or none. Never anything of /api or /sync. */

const PREFIX = 'mos-';
const NAME = PREFIX + __BUILD__;
const PICTURES = '/pictures.json';
const AT_ONCE = 6;

/** Fetch every file of this release. Fails as a whole, and then nothing of it is used. */
export async function fill(): Promise<void> {
  const cache = await caches.open(NAME);
  const left = [...__KEPT__];
  const worker = async (): Promise<void> => {
    for (let file = left.pop(); file !== undefined; file = left.pop()) await keep(cache, file);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Let go of older releases, but for the last: an open page may still ask for a part of it. */
export async function tidy(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== NAME);
  await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)));
}

export async function letGo(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX)).map((name) => caches.delete(name)),
  );
}

/** The answer to a request for the page or a file, or null where the server is to answer. */
export function answer(request: Request, origin: string): Promise<Response> | null {
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== origin) return null;
  if (request.mode === 'navigate') return url.pathname === '/' ? kept('/', request) : null;
  const ours =
    __KEPT__.some((file) => file.url === url.pathname) ||
    /^\/(assets|symbols)\//.test(url.pathname);
  return ours ? kept(url.pathname, request) : null;
}

async function kept(path: string, request: Request): Promise<Response> {
  // Looked up by name: opening a cache would make one that was let go again.
  const found = await caches.match(path, { cacheName: NAME, ignoreVary: true });
  return found ?? (await older(path)) ?? fetch(request);
}

/** A page of the release before asks for what only that had. */
async function older(path: string): Promise<Response | undefined> {
  return path.startsWith('/assets/') ? caches.match(path, { ignoreVary: true }) : undefined;
}

async function keep(cache: Cache, { url, integrity }: (typeof __KEPT__)[number]): Promise<void> {
  const named = url.startsWith('/assets/');
  const before = named ? await caches.match(url, { ignoreVary: true }) : undefined;
  if (before !== undefined) return cache.put(url, before);
  // The name of an asset says what is in it; the others have to come from the server itself.
  const response = await fetch(url, { integrity, cache: named ? 'default' : 'reload' });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  if (url === PICTURES) await unpack(cache, response);
  else await cache.put(url, response);
}

async function unpack(cache: Cache, response: Response): Promise<void> {
  const pictures = (await response.json()) as Record<string, string>;
  const headers = { 'content-type': 'image/svg+xml', 'cache-control': 'max-age=86400' };
  await Promise.all(
    Object.entries(pictures).map(([url, svg]) => cache.put(url, new Response(svg, { headers }))),
  );
}
