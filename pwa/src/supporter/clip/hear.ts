/** Listening to a clip where it is planned: what was recorded just now, what waits here, else the server's. */
import { decode, play } from '../../app/player';
import { clipPath } from '../../plan/clip';
import { waiting } from './waiting.svelte';

export type NotHeard = 'offline' | 'gone' | 'unable';

/** Resolves when it was heard to its end or ended: null; or why it could not be heard. `file` is what was recorded just now. */
export async function hear(
  space: string,
  id: string,
  file: ArrayBuffer | undefined,
): Promise<NotHeard | null> {
  const here = file ?? waiting.find(space, id)?.file;
  const found = here ?? (await fetched(clipPath(space, id)));
  if (typeof found === 'string') return found;
  const sound = await decode(found).catch(() => null);
  if (sound === null) return 'unable';
  await play(sound);
  return null;
}

async function fetched(path: string): Promise<ArrayBuffer | NotHeard> {
  const answer = await fetch(`/api/v1/${path}`, {
    credentials: 'same-origin',
    cache: 'no-store',
  }).catch(() => null);
  if (answer === null || answer.status >= 500 || answer.status === 401) return 'offline';
  return answer.ok ? answer.arrayBuffer() : 'gone';
}
