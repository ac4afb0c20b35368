/** What is said of today and tomorrow by the server's voice, and what somebody has recorded for any day: as the screen needs
 *  it. */
import { clock } from '../../app/clock.svelte';
import { mos } from '../../app/mos.svelte';
import { decode, hush, play } from '../../app/player';
import { clipOf, clipPath } from '../../plan/clip';
import type { Reminder } from '../../plan/model';
import { today } from '../today.svelte';
import { keep, nameOf, soundOf, type Spoken } from './sounds';

class Kept {
  #here = $state.raw<ReadonlySet<string>>(new Set());
  /** What this browser cannot read: a voice is heard in its place. */
  #unread = $state.raw<ReadonlySet<string>>(new Set());
  #looking = false;
  readonly #spoken: readonly Spoken[] = $derived.by(() => {
    const reminders = [...today.items, ...today.tomorrow].map(({ reminder }) => reminder);
    return [...new Map(reminders.map((each) => [each.id, spoken(each)])).values()];
  });
  readonly #clips: readonly string[] = $derived.by(() => {
    const { space } = today;
    if (space === null) return [];
    const named = mos.replica.rows(space, 'reminder').map((row) => clipOf(row)?.id);
    return [...new Set(named)].flatMap((id) => (id === undefined ? [] : [nameOfClip(space, id)]));
  });

  /** Call from an effect: looks again each minute, and when something else is planned. `words`: there is no voice here. */
  look(words: boolean): void {
    const [spoken, clips, now] = [words ? this.#spoken : [], this.#clips, clock.minute];
    if (this.#looking || !('caches' in globalThis)) return;
    if (spoken.length + clips.length + this.#here.size === 0) return;
    this.#looking = true;
    keep(spoken, now, clips)
      .then((here) => (this.#here = here))
      // No room on the disk: nothing is said, and nothing else suffers.
      .catch(() => undefined)
      .finally(() => (this.#looking = false));
  }

  /** Under which name a reminder's clip is here, to be played; null where a voice is to be heard. */
  clip(of: Reminder): string | null {
    const { space } = today;
    if (space === null || of.order !== undefined) return null;
    const id = clipOf(mos.replica.row(space, 'reminder', of.id))?.id;
    const name = id === undefined ? null : nameOfClip(space, id);
    return name !== null && this.#here.has(name) && !this.#unread.has(name) ? name : null;
  }

  /** Under which name a reminder's words are here, said by the server; null where they are not. */
  words(of: Reminder): string | null {
    const name = nameOf(spoken(of));
    return this.#here.has(name) ? name : null;
  }

  /** What can be played of a name; null where there is nothing, or this browser cannot read it. */
  async sound(name: string): Promise<AudioBuffer | null> {
    const file = await soundOf(name);
    const sound = file && (await decode(file).catch(() => null));
    if (sound === null) this.#unread = new Set([...this.#unread, name]);
    return sound;
  }

  /** Call from a gesture. What was being said before ends. False where nothing could be heard. */
  async play(name: string): Promise<boolean> {
    const sound = await this.sound(name);
    if (sound === null) return false;
    await play(sound);
    return true;
  }

  hush(): void {
    hush();
  }
}

function nameOfClip(space: string, id: string): string {
  return `/api/v1/${clipPath(space, id)}`;
}

function spoken({ id, title, note }: Reminder): Spoken {
  return { space: today.space ?? '', rec: id, title, note };
}

export const kept = new Kept();
