/** Start: what is kept on this device, languages, the first screen; then the server. */
import './ui/base.css';

import { mount } from 'svelte';

import App from './app/App.svelte';
import Broken from './app/Broken.svelte';
import { needAreas, preferredLanguage, setLanguage } from './app/i18n.svelte';
import { comeBack, left } from './app/kept';
import { mos } from './app/mos.svelte';
import { route } from './app/router.svelte';
import { loadScreen, screenOf } from './app/screens';
import { worker } from './app/worker.svelte';
import { browserPlatform } from './offline/platform';
import { LocalReplica } from './offline/replica';
import { Store } from './offline/store';

async function start(): Promise<void> {
  const platform = browserPlatform();
  const store = new Store('mos', platform.random);
  const texts = Promise.all([
    needAreas('common'),
    setLanguage(preferredLanguage(navigator.languages)),
  ]);
  const replica = await LocalReplica.open({
    store,
    platform,
    app: __MOS_VERSION__,
    onWiped: left,
  });
  mos.open(replica);
  await comeBack({ store, replica }, platform.now());
  await Promise.all([texts, loadScreen(screenOf(route.path, mos.session)).catch(() => null)]);
  const target = document.getElementById('app');
  if (target !== null) mount(App, { target });

  replica.lead();
  for (const [where, what] of [
    [window, 'online'],
    [window, 'focus'],
    [document, 'visibilitychange'],
  ] as const) {
    where.addEventListener(what, () => {
      if (!document.hidden) replica.nudge();
    });
  }
  worker.onPushed(() => replica.nudge());
  replica.onChange(() => {
    const { online, pending } = replica.status();
    if (!online && pending > 0) void worker.sendLater();
  });
  // What needs the server comes after the first screen.
  void import('./app/meet-server').then(({ meetServer }) => meetServer());
}

/** A device that can keep nothing, say: an empty page would tell nobody. */
async function startFailed(error: unknown): Promise<void> {
  reportError(error);
  await needAreas('common').catch(() => undefined);
  const target = document.getElementById('app');
  if (target !== null) mount(Broken, { target, props: { onretry: () => location.reload() } });
}

// Not awaited here: screens import this file's chunk, and would wait for it for ever.
start().catch(startFailed);
