/** Start: what is kept on this device, languages, the first screen; then the server. */
import './ui/base.css';

import { mount } from 'svelte';

import { checkBack, comeBack, keepBeating, left } from './app/account';
import App from './app/App.svelte';
import { needAreas, preferredLanguage, setLanguage } from './app/i18n.svelte';
import { mos } from './app/mos.svelte';
import { renew } from './app/push';
import { go, route } from './app/router.svelte';
import { loadScreen, screenOf } from './app/screens';
import { worker } from './app/worker.svelte';
import { httpNetwork } from './offline/network';
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
    network: httpNetwork(),
    platform,
    app: __MOS_VERSION__,
    onWiped: left,
  });
  mos.open(replica);
  await comeBack({ store, replica }, platform.now());
  await Promise.all([
    texts,
    loadScreen(screenOf(route.path, mos.session?.account.role ?? null)).catch(() => null),
  ]);
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
  keepBeating();
  await Promise.all([worker.start(go), checkBack()]);
  if (mos.session !== null && !mos.signedOut) await renew().catch(() => undefined);
}

await start();
