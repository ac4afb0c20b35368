/** How residents' tablets say that they are, for the overview: asked for every five minutes while somebody looks. */
import { api, ApiError } from '../app/api';
import { clock } from '../app/clock.svelte';
import { t } from '../app/i18n.svelte';
import { deviceTroubles, type ResidentDevice } from '../care/devices';

const EACH_MS = 5 * 60_000;

class Tablets {
  #found = $state.raw<readonly (ResidentDevice & { space: string })[]>([]);
  readonly #turn = $derived(Math.floor(clock.minute / EACH_MS));

  /** Call while a component is set up. */
  follow(): void {
    $effect(() => {
      void this.#turn;
      void this.#look();
    });
  }

  /** What is wrong with the tablet that was heard of last; empty where nothing is. */
  wordsOf(space: string): string {
    const latest = this.#found.find((device) => device.space === space);
    const [trouble] = latest === undefined ? [] : deviceTroubles(latest);
    if (latest === undefined || trouble === undefined) return '';
    return t(`supporter.device.${trouble}`, {
      percent: latest.battery ?? 0,
      mb: latest.storage_mb ?? 0,
    });
  }

  async #look(): Promise<void> {
    try {
      this.#found = await api.get('residents/devices');
    } catch (error) {
      // What was known is better than nothing.
      if (!(error instanceof ApiError)) throw error;
    }
  }
}

export const tablets = new Tablets();
