/** Puts one sheet on paper; nothing else of the page is printed. */
import { mount, tick, unmount, type Component } from 'svelte';

/** Print `sheet`, a component around `ui/Sheet`. It is gone once the browser's own dialog has closed. */
export async function print<Props extends Record<string, unknown>>(
  sheet: Component<Props>,
  props: Props,
): Promise<void> {
  const shown = mount(sheet, { target: document.body, props });
  // Telephones go on at once and print later; all say when they have.
  addEventListener('afterprint', () => void unmount(shown), { once: true });
  await tick();
  await Promise.all([...document.images].map((each) => each.decode().catch(() => undefined)));
  window.print();
}
