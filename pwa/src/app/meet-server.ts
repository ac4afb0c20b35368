/** What comes after the first screen: the service worker, the server, push, kiosk mode. */
import { startKiosk } from '../kiosk/start';
import { checkBack, endLeft } from './account';
import { onUnreached } from './api';
import { seekContact } from './contact';
import { beat } from './heartbeat.svelte';
import { device } from './kept';
import { mos } from './mos.svelte';
import { keepOn } from './push';
import { go } from './router.svelte';
import { startWorker } from './worker-start';

export async function meetServer(): Promise<void> {
  void startKiosk();
  addEventListener('online', () => void endLeft());
  // What the screens say of the network comes of the rounds with the server, and the next may be a minute away.
  const look = (): void => device().replica.nudge();
  addEventListener('offline', look);
  addEventListener('online', look);
  const isWanted = (): boolean => !document.hidden && mos.session !== null && !mos.status.online;
  seekContact({ isWanted, seek: look });
  document.addEventListener('visibilitychange', () => isWanted() && look());
  onUnreached(look);
  await Promise.all([startWorker(go), checkBack()]);
  beat();
  if (mos.session !== null && !mos.signedOut) await keepOn().catch(() => undefined);
}
