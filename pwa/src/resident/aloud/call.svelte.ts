/** At the alarm, somebody's own voice: the sound calls first, then makes room for what they have said, and calls again. */
import { hush, play } from '../../app/player';
import { sound } from '../../app/sound.svelte';
import { ringer } from '../ringer.svelte';
import { today } from '../today.svelte';
import { kept } from './kept.svelte';

/** The sound is a murmur still, and nobody is startled. */
const FIRST_MS = 6_000;

/** Call from an effect while an alarm is shown whose clip is here; the returned function ends it. */
export function callWith(name: string): (() => void) | undefined {
  if (!ringer.sounds || sound.locked) return undefined;
  const touch = new AbortController();
  const { signal } = touch;
  for (const gesture of ['pointerdown', 'keydown'] as const)
    addEventListener(gesture, () => end(), { capture: true, signal });
  const timer = setTimeout(() => void speak(name, signal), FIRST_MS);
  function end(): void {
    clearTimeout(timer);
    touch.abort();
    hush();
  }
  return end;
}

async function speak(name: string, signal: AbortSignal): Promise<void> {
  // What cannot be played must not silence what can.
  const clip = await kept.sound(name);
  if (clip === null || signal.aborted) return;
  const again = ringer.pause();
  const touched = new Promise((resolve) => signal.addEventListener('abort', () => resolve(true)));
  const heard = play(clip, (today.profile.loudest / 100) ** 2).then(() => false);
  // Whoever has touched it has heard enough.
  if (!(await Promise.race([touched, heard]))) again();
}
