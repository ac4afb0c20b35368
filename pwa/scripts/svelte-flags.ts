/** Settles, when the app is built, what Svelte leaves open until it runs: MOS never takes over a page that a server drew
 *  (hydration), compiles every component with
 *  runes, and uses neither async components nor tracing. Svelte guards that code so that a bundler can drop it; Rolldown
 *  only does when the guards are constants. A tenth of the framework. */
import type { Plugin } from 'vite';

/** In which file: what stands there, and what it is for us. */
const SETTLED: Record<string, [from: string, to: string][]> = {
  '/svelte/src/internal/client/dom/hydration.js': [
    ['export let hydrating = false;', 'export const hydrating = false;'],
    ['hydrating = value;', ''],
  ],
  '/svelte/src/internal/flags/index.js': [
    ['export let async_mode_flag = false;', 'export const async_mode_flag = false;'],
    ['async_mode_flag = true;', ''],
    ['async_mode_flag = false;\n}', '}'],
    ['export let legacy_mode_flag = false;', 'export const legacy_mode_flag = false;'],
    ['legacy_mode_flag = true;', ''],
    ['export let tracing_mode_flag = false;', 'export const tracing_mode_flag = false;'],
    ['tracing_mode_flag = true;', ''],
  ],
};

export function svelteFlags(): Plugin {
  return {
    name: 'mos-svelte-flags',
    apply: 'build',
    transform(code, id) {
      const file = Object.keys(SETTLED).find((name) => id.endsWith(name));
      if (file === undefined) return;
      for (const [from, to] of SETTLED[file] ?? []) {
        // A newer Svelte says it in other words: look again whether this still holds.
        if (!code.includes(from)) this.error(`${file} no longer has: ${from}`);
        code = code.replace(from, to);
      }
      return { code, map: null };
    },
  };
}
