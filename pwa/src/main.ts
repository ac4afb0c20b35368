/** Start: languages, who is signed in, the replica, then the screens. */
import '@fontsource-variable/atkinson-hyperlegible-next';
import './app/app.css';

import { mount } from 'svelte';

import App from './app/App.svelte';
import { needAreas, preferredLanguage, setLanguage } from './app/i18n.svelte';
import { mos } from './app/mos.svelte';
import { MemoryReplica } from './offline/memory';

async function start(): Promise<void> {
  const language = preferredLanguage(navigator.languages);
  await Promise.all([needAreas('common'), setLanguage(language)]);
  mos.open(new MemoryReplica(''));
  const target = document.getElementById('app');
  if (target !== null) mount(App, { target });
}

await start();
