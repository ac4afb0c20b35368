/** What is said of reminders, kept on this device so that it is heard without a network, too. A sound of the server's voice is
 *  kept under the very words it says: what was changed since, as a dose, is never said as it was. A clip, which somebody has
 *  recorded, is called by what is in it, and is kept under that. */

/** A reminder or an order, and the space of the day through which it is asked for. */
export interface Spoken {
  readonly space: string;
  readonly rec: string;
  readonly title: string;
  readonly note: string;
}

const NAME = 'speech';
/** After no answer, or that the server has no voice. */
const WAIT_MS = 10 * 60_000;
/** A clip may be on its way to the server: it is asked for again after a minute, and then ever more seldom. */
const CLIP_WAIT_MS = 60_000;
const MOST_CLIP_WAITS = 60;

/** Where a sound is asked for. */
function pathOf({ space, rec }: Spoken): string {
  return `/api/v1/residents/${space}/speech/${rec}`;
}

/** Under which it is kept. Never asked for. */
export function nameOf(of: Spoken): string {
  return `${pathOf(of)}?${new URLSearchParams({ title: of.title, note: of.note }).toString()}`;
}

let waitUntil = 0;
/** Of clips that the server did not have: how often it was asked, and when it is to be asked again. */
const absent = new Map<string, { times: number; until: number }>();

/** Fetches what of `wanted` words and of `clips` (by path) is not here and lets go of all else; returns the names of what is
 *  here. `now` in ms. */
export async function keep(
  wanted: readonly Spoken[],
  now: number,
  clips: readonly string[] = [],
): Promise<Set<string>> {
  const cache = await caches.open(NAME);
  const here = new Set<string>();
  const names = new Set([...wanted.map(nameOf), ...clips]);
  for (const request of await cache.keys()) {
    const name = request.url.replace(/^https?:\/\/[^/]+/u, '');
    if (names.has(name)) here.add(name);
    else await cache.delete(request);
  }
  await keepClips(cache, here, clips, now);
  for (const each of wanted) {
    if (now < waitUntil) break;
    if (here.has(nameOf(each))) continue;
    const answer = await ask(pathOf(each));
    if (answer === 'later') waitUntil = now + WAIT_MS;
    else if (answer !== 'none') {
      await cache.put(nameOf(each), answer);
      here.add(nameOf(each));
    }
  }
  return here;
}

async function keepClips(
  cache: Cache,
  here: Set<string>,
  clips: readonly string[],
  now: number,
): Promise<void> {
  for (const path of clips) {
    const { times, until } = absent.get(path) ?? { times: 0, until: 0 };
    if (here.has(path) || now < until) continue;
    const answer = await ask(path);
    // Without a network none of them comes.
    if (answer === 'later') return;
    if (answer === 'none') {
      const waits = Math.min(2 ** times, MOST_CLIP_WAITS);
      absent.set(path, { times: times + 1, until: now + waits * CLIP_WAIT_MS });
    } else {
      await cache.put(path, answer);
      here.add(path);
    }
  }
}

/** `none`: the server says nothing of this one. */
async function ask(path: string): Promise<Response | 'none' | 'later'> {
  const answer = await fetch(path, { credentials: 'same-origin', cache: 'no-store' }).catch(
    () => null,
  );
  if (answer === null) return 'later';
  if (answer.ok) return answer;
  const said = (await answer.json().catch(() => null)) as { code?: unknown } | null;
  return answer.status === 404 && said?.code !== 'no_voice' ? 'none' : 'later';
}

/** What is kept under a name, if it is here. */
export async function soundOf(name: string): Promise<ArrayBuffer | null> {
  const found = await caches.match(name, { cacheName: NAME, ignoreVary: true });
  return (await found?.arrayBuffer()) ?? null;
}
