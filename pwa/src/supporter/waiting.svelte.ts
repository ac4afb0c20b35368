/** Of whom something could not be saved and waits for somebody, for the overview: asked for every five minutes while
 *  somebody looks, and when they come back to it. */
import { api, ApiError } from '../app/api';
import { clock } from '../app/clock.svelte';

interface Waits {
  readonly space: string;
  readonly count: number;
  readonly lost: number;
}

const EACH_MS = 5 * 60_000;

class Waiting {
  /** Of the residents of whom whoever is here may settle it. */
  of = $state.raw<readonly Waits[]>([]);
  readonly #turn = $derived(Math.floor(clock.minute / EACH_MS));

  /** Call while a component is set up. */
  follow(): void {
    $effect(() => {
      void this.#turn;
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    try {
      this.of = await api.get('residents/quarantine');
    } catch (error) {
      // What was known is better than nothing.
      if (!(error instanceof ApiError)) throw error;
    }
  }
}

export const waiting = new Waiting();
