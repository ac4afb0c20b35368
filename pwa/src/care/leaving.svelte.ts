/** Asks before unsaved changes are left: by a link, by Back, by closing the tab. */
import { go } from '../app/router.svelte';

export class Leaving {
  /** Where somebody wants to go; the dialog is open while it is set. */
  to = $state.raw<(() => void) | null>(null);
  readonly #here = location.hash;
  readonly #isDirty: () => boolean;
  #leaving = false;

  constructor(isDirty: () => boolean) {
    this.#isDirty = isDirty;
  }

  /** Starts to watch; answers how to stop. */
  watch(): () => void {
    const stop = new AbortController();
    const { signal } = stop;
    addEventListener('click', (event) => this.#click(event), { capture: true, signal });
    // Before the router hears of it: Back has changed the address already, so it is put back.
    addEventListener('popstate', () => this.#back(), { capture: true, signal });
    addEventListener('beforeunload', (event) => this.#guards() && event.preventDefault(), {
      signal,
    });
    return () => stop.abort();
  }

  leave(): void {
    const on = this.to;
    this.to = null;
    this.#leaving = true;
    on?.();
  }

  stay(): void {
    this.to = null;
  }

  /** What was meant is done, saved or deleted: on to `path`. Whoever went elsewhere while it was done stays there. */
  finish(path: string): void {
    if (this.to !== null) this.leave();
    else if (location.hash === this.#here) go(path);
    this.#leaving = true;
  }

  #guards(): boolean {
    return !this.#leaving && this.#isDirty();
  }

  #click(event: MouseEvent): void {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (!link || !plain || link.target === '_blank' || !link.hash || !this.#guards()) return;
    event.preventDefault();
    this.to = () => {
      location.hash = link.hash;
    };
  }

  #back(): void {
    if (location.hash === this.#here || !this.#guards()) return;
    const wanted = location.hash;
    history.pushState(null, '', this.#here);
    this.to = () => {
      location.hash = wanted;
    };
  }
}
