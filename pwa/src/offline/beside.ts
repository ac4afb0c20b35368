/** What a page keeps beside the store: small things about this device, and words that were read aloud. */

/** Only pages have one. */
const page = globalThis as { localStorage?: { removeItem(key: string): void } };

/** Nobody is here any more: what tells of a person goes. How the device speaks and looks is its own. */
export async function forgetBeside(): Promise<void> {
  try {
    for (const key of Object.keys(page.localStorage ?? {}))
      if (/^mos\.(?!language$|theme$)/.test(key)) page.localStorage?.removeItem(key);
  } catch {
    // A browser that stores nothing has nothing to forget.
  }
  if ('caches' in globalThis) await caches.delete('speech').catch(() => false);
}
