/** The night's sleep, and the morning it leads to: what the night shows of the day. */
import type { Item } from '../plan/model';
import { MINUTE_MS, instant } from '../plan/time';
import { today } from './today.svelte';

class Morning {
  readonly #items = $derived([...today.items, ...today.tomorrow]);
  /** The sleep that is on or comes next. */
  readonly sleep: Item | null = $derived(
    this.#items.find(
      (item) => item.family === 'sleep' && (item.state === 'now' || item.state === 'later'),
    ) ?? null,
  );
  /** Wall time at which the night ends for this resident. */
  readonly rises = $derived(this.sleep?.until ?? today.profile.night.to);
  /** What it begins with, if it begins with anything at once: what comes later is not "then". */
  readonly first: Item | null = $derived.by(() => {
    const rises = instant(`${today.morningDate}T${this.rises}`, today.profile.zone);
    return (
      this.#items.find(
        (item) =>
          item.family !== 'sleep' &&
          item.state === 'later' &&
          item.start >= rises - 5 * MINUTE_MS &&
          item.start <= rises + 15 * MINUTE_MS,
      ) ?? null
    );
  });
}

export const morning = new Morning();
