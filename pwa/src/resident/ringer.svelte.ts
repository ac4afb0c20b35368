/** Makes what is due be seen and heard on this device, and remembers that it was. */
import { untrack } from 'svelte';

import { clock } from '../app/clock.svelte';
import { learn, ring } from '../app/sound';
import { BUZZES } from '../app/sound-names';
import { sound } from '../app/sound.svelte';
import { worker } from '../app/worker.svelte';
import { soundOf } from '../plan/day';
import type { Item } from '../plan/model';
import { noteRang, sayDone } from './actions';
import { alarmsAt, callOf, makesHeard, roundOf, warningAt } from './alarms';
import { remember, remembered } from './device-memory';
import { today } from './today.svelte';

/** The sound rises for forty seconds; after a minute it rests until the next round. */
const SOUNDS_MS = 60_000;
/** Something that begins soon is hummed once, low. */
const WARNING_MS = 4_000;

class Ringer {
  #seen = $state.raw<ReadonlySet<string>>(remembered('seen'));
  readonly queue: readonly Item[] = $derived(
    alarmsAt(today.items, clock.now, {
      seen: this.#seen,
      helped: new Set(today.helps.flatMap(({ occ }) => (occ === null ? [] : [occ]))),
    }),
  );
  readonly current: Item | null = $derived(this.queue[0] ?? null);
  readonly warning: Item | null = $derived(warningAt(today.items, clock.now));
  readonly #round: string | null = $derived(
    this.current === null ? null : `${callOf(this.current)}/${roundOf(this.current, clock.now)}`,
  );
  readonly #occ: string | null = $derived(this.current?.occ ?? null);
  readonly #soon: string | null = $derived(
    this.warning === null ? null : `${this.warning.occ}/before`,
  );
  /** It calls, or waits for a clip to end. */
  sounds = $state(false);
  #stop: () => void = () => undefined;

  constructor() {
    // Touched in another tab.
    addEventListener('storage', () => remembered('rounds').has(this.#round ?? '') && this.#hush());
  }

  /** Call while a component is set up; rings as long as it lives. */
  follow(): void {
    // Each follows one word and nothing else: news of the day, this ring's own record among them, must not end a sound.
    $effect(() => {
      const round = this.#round;
      // Of several tabs one is heard. When it goes another goes on, unless the round was over.
      if (round === null || sound.elsewhere || remembered('rounds').has(round)) return;
      untrack(() => this.current !== null && this.#sound(this.current, SOUNDS_MS));
      return () => this.#hush();
    });
    $effect(() => {
      if (this.#occ !== null) untrack(() => this.current && void this.#note(this.current));
    });
    $effect(() => {
      const soon = this.#soon;
      if (soon === null || sound.elsewhere || remembered('rounds').has(soon)) return;
      remember('rounds', soon);
      // What has begun is heard before what will.
      untrack(() => {
        if (this.current === null && this.warning !== null) this.#sound(this.warning, WARNING_MS);
      });
    });
    $effect(() =>
      worker.onPushed((payload) => payload.kind === 'ring' && this.#hears(payload.occ)),
    );
    void learn();
    // An installed app may be allowed to sound before anybody has touched it.
    void sound.unlock();
  }

  /** The first touch stops the sound, in every tab; the screen stays. */
  quiet(): void {
    this.#end();
    this.#hush();
  }

  /** This round has been heard, and is not heard again. */
  #end(): void {
    if (this.#round !== null) remember('rounds', this.#round);
  }

  #hush(): void {
    this.#stop();
    this.#stop = () => undefined;
    this.sounds = false;
  }

  /** Makes room for somebody's own voice; the returned function lets it call again. */
  pause(): () => void {
    const { current } = this;
    this.#stop();
    return () => current && this.#begin(current, SOUNDS_MS);
  }

  /** "Klar"; for what needs no answer: seen. */
  answer(item: Item): void {
    if (item.reminder.checkable) void sayDone(item);
    else this.#seen = remember('seen', callOf(item));
  }

  /** Whether somebody at this page hears of it without the notification, or has asked for silence. */
  #hears(occ: string): boolean {
    const item = today.items.find((each) => each.occ === occ);
    const quiet = item === undefined ? today.profile.sound === 'none' : isSilent(item);
    return (quiet || !sound.locked) && makesHeard(today.items, occ, Date.now());
  }

  #sound(item: Item, ms: number): void {
    this.#hush();
    this.sounds = true;
    this.#begin(item, ms);
  }

  #begin(item: Item, ms: number): void {
    // After a call, or a night asleep, the sound has to be asked for again.
    void sound.unlock();
    const { profile } = today;
    const stop = ring(soundOf(profile, item.reminder), profile);
    const timer = setTimeout(() => {
      stop();
      if (ms === SOUNDS_MS) this.#end();
    }, ms);
    // Felt as well as heard, where the device can.
    if ('vibrate' in navigator) navigator.vibrate([...BUZZES[profile.buzz]]);
    this.#stop = () => {
      clearTimeout(timer);
      stop();
    };
  }

  /** Once per occurrence and device: "it was shown here", and whether it could be heard. */
  async #note(item: Item): Promise<void> {
    if (remembered('rang').has(item.occ)) return;
    remember('rang', item.occ);
    const heard = !isSilent(item) && (await sound.unlock());
    await noteRang(item, heard ? 'sound' : 'silent');
  }
}

/** Whether its resident has asked for no sound of it. */
export function isSilent(item: Item): boolean {
  return soundOf(today.profile, item.reminder) === 'none';
}

export const ringer = new Ringer();
