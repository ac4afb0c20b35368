/** Whether the last call for help from this device was refused, followed as long as a screen shows it. */
import { untrack } from 'svelte';

import { mos } from '../app/mos.svelte';
import { fateOf, NOTHING } from './refusal';
import { today } from './today.svelte';

class Refused {
  #fate = $state.raw(NOTHING);
  #space: string | null = null;

  /** Nobody was told. */
  get stands(): boolean {
    return this.#fate.refused;
  }

  /** It has been read. */
  forget(): void {
    this.#fate = { ...this.#fate, refused: false };
  }

  /** For the component that is always there: a call may be refused after its screen was left. */
  follow(): void {
    $effect(() => {
      const { space, helps } = today;
      const here = space === null ? [] : mos.replica.rows(space, 'help').map(({ rec }) => rec);
      const before = space === this.#space ? untrack(() => this.#fate) : NOTHING;
      this.#space = space;
      this.#fate = fateOf(before, helps, here);
    });
  }
}

export const refused = new Refused();
