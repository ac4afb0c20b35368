import { readFileSync } from 'node:fs';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

import { chunks } from './scripts/chunks.ts';
import { serviceWorker } from './scripts/service-worker.ts';
import { svelteFlags } from './scripts/svelte-flags.ts';
import { symbols } from './scripts/symbols.ts';

// The server answers /api and /sync; in development Vite passes them on.
const server = process.env['MOS_SERVER'] ?? 'http://127.0.0.1:8080';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

export default defineConfig({
  plugins: [
    svelte({ compilerOptions: { runes: true } }),
    symbols(),
    svelteFlags(),
    serviceWorker(version),
  ],
  define: { __MOS_VERSION__: JSON.stringify(version) },
  build: {
    target: 'es2022',
    manifest: true,
    assetsInlineLimit: 0,
    // What a screen needs lies in the service worker's cache before it is asked for.
    modulePreload: false,
    rolldownOptions: { output: { codeSplitting: { groups: chunks(import.meta.dirname) } } },
  },
  server: { proxy: Object.fromEntries(['/api', '/sync'].map((path) => [path, server])) },
  test: {
    include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
    environment: 'node',
    server: { deps: { inline: ['svelte'] } },
  },
  // Tests run Svelte's browser half: in its server half no effect runs and nothing derived follows.
  environments: {
    ssr: {
      consumer: 'client',
      resolve: { conditions: ['browser', 'module', 'development|production'] },
    },
  },
});
