/** Makes what is due be seen and heard on this device, and remembers that it was. */
import { clock } from '../app/clock.svelte';
import { ring } from '../app/sound';
import { sound } from '../app/sound.svelte';
import type { Item } from '../plan/model';
import { noteRang } from './actions';
import { alarmsAt, callOf, roundOf, warningAt } from './alarms';
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
  #stop: () => void = () => undefined;

  /** Call while a component is set up; rings as long as it lives. */
  follow(): void {
    $effect(() => {
      const round = this.#round;
      if (round === null || remembered('rounds').has(round)) return;
      remember('rounds', round);
      this.#sound(SOUNDS_MS);
      return () => this.quiet();
    });
    $effect(() => {
      if (this.current !== null) this.#note(this.current.occ);
    });
    $effect(() => {
      const call = this.warning === null ? null : `${this.warning.occ}/before`;
      if (call === null || remembered('rounds').has(call)) return;
      remember('rounds', call);
      this.#sound(WARNING_MS);
    });
  }

  /** The first touch stops the sound; the screen stays. */
  quiet(): void {
    this.#stop();
    this.#stop = () => undefined;
  }

  /** Seen, and nothing has to be answered. */
  sawIt(item: Item): void {
    this.#seen = remember('seen', callOf(item));
  }

  #sound(ms: number): void {
    this.quiet();
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
  #note(occ: string): void {
    if (remembered('rang').has(occ)) return;
    remember('rang', occ);
    const heard = today.profile.sound !== 'none' && !sound.locked;
    void noteRang(occ, heard ? 'sound' : 'silent');
  }
}

export const ringer = new Ringer();
