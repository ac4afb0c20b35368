/** Kiosk mode: a resident's tablet that shows the clock and nothing else, day and night. */
import { device } from '../app/kept';
import { mos } from '../app/mos.svelte';
import { go } from '../app/router.svelte';
import { sound } from '../app/sound.svelte';
import { opens, seal, type Sealed } from './code';

interface Kept {
  /** Whose clock it is: whoever comes after them on this device is not locked in. */
  readonly account: string;
  readonly code: Sealed | null;
}

const NAME = 'kiosk';

class Kiosk {
  #kept = $state.raw<Kept | null>(null);
  readonly on = $derived(this.#kept !== null && this.#kept.account === mos.session?.account.id);
  /** Whether leaving takes a code. */
  readonly hasCode = $derived(this.#kept?.code !== null && this.#kept !== null);

  async load(): Promise<void> {
    this.#kept = (await device().store.recall<Kept | null>(NAME)) ?? null;
  }

  /** From a gesture: only then may a page fill the screen and sound. */
  async start(code: string): Promise<void> {
    const account = mos.session?.account.id;
    if (account === undefined) return;
    fillScreen();
    void sound.unlock();
    const kept = { account, code: code === '' ? null : await seal(code) };
    await device().store.remember(NAME, kept);
    this.#kept = kept;
    go('/');
  }

  /** False, and nothing happens, unless the code is right. */
  async stop(code: string): Promise<boolean> {
    const sealed = this.#kept?.code ?? null;
    if (sealed !== null && !(await opens(sealed, code))) return false;
    await device().store.remember(NAME, null);
    this.#kept = null;
    if (document.fullscreenElement !== null) await document.exitFullscreen();
    return true;
  }
}

export const kiosk = new Kiosk();

/** Not every browser can, nor allows it outside a gesture: the clock is shown all the same. */
export function fillScreen(): void {
  if (document.fullscreenElement !== null) return;
  const page = document.documentElement as Partial<HTMLElement>;
  void page.requestFullscreen?.({ navigationUI: 'hide' }).catch(() => undefined);
}
