/** Makes what is due be seen and heard on this device, and remembers that it was. */
import { untrack } from 'svelte';

import { clock } from '../app/clock.svelte';
import { ring } from '../app/sound';
import { sound } from '../app/sound.svelte';
import { worker } from '../app/worker.svelte';
import type { Item } from '../plan/model';
import { noteRang, sayDone } from './actions';
import { alarmsAt, callOf, makesHeard, roundOf, warningAt } from './alarms';
import { remember, remembered } from './device-memory';
import { today } from './today.svelte';

/** The sound rises for twenty seconds; after a minute it rests until the next round. */
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
  #stop: () => void = () => undefined;

  /** Call while a component is set up; rings as long as it lives. */
  follow(): void {
    // Each follows one word and nothing else: news of the day, this ring's own record among them, must not end a sound.
    $effect(() => {
      const round = this.#round;
      if (round === null || remembered('rounds').has(round)) return;
      untrack(() => {
        // Where it cannot be heard it was not this page that rang: another one may.
        if (!sound.locked) remember('rounds', round);
        this.#sound(SOUNDS_MS);
      });
      return () => this.quiet();
    });
    $effect(() => {
      if (this.#occ !== null) untrack(() => this.current && void this.#note(this.current));
    });
    $effect(() => {
      const soon = this.#soon;
      if (soon === null || remembered('rounds').has(soon)) return;
      remember('rounds', soon);
      // What has begun is heard before what will.
      untrack(() => {
        if (this.current === null) this.#sound(WARNING_MS);
      });
    });
    $effect(() =>
      worker.onPushed((payload) => payload.kind === 'ring' && this.#hears(payload.occ)),
    );
    // An installed app may be allowed to sound before anybody has touched it.
    void sound.unlock();
  }

  /** The first touch stops the sound; the screen stays. */
  quiet(): void {
    this.#stop();
    this.#stop = () => undefined;
  }

  /** "Klar"; for what needs no answer: seen. */
  answer(item: Item): void {
    if (item.reminder.checkable) void sayDone(item);
    else this.#seen = remember('seen', callOf(item));
  }

  /** Whether somebody at this page hears of it without the notification, or has asked for silence. */
  #hears(occ: string): boolean {
    const quiet = today.profile.sound === 'none';
    return (quiet || !sound.locked) && makesHeard(today.items, occ, Date.now());
  }

  #sound(ms: number): void {
    this.quiet();
    // After a call, or a night asleep, the sound has to be asked for again.
    void sound.unlock();
    const stop = ring(today.profile.sound);
    const timer = setTimeout(stop, ms);
    // Felt as well as heard, where the device can.
    if ('vibrate' in navigator && today.profile.sound !== 'none')
      navigator.vibrate([400, 200, 400]);
    this.#stop = () => {
      clearTimeout(timer);
      stop();
    };
  }

  /** Once per occurrence and device: "it was shown here", and whether it could be heard. */
  async #note(item: Item): Promise<void> {
    if (remembered('rang').has(item.occ)) return;
    remember('rang', item.occ);
    const heard = today.profile.sound !== 'none' && (await sound.unlock());
    await noteRang(item, heard ? 'sound' : 'silent');
  }
}

export const ringer = new Ringer();
