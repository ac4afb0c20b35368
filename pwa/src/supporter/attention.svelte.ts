/** A new alert is heard and seen while the page is open: a sound that grows until
 *  somebody touches the page, and a notification when another window
 *  is in front. Push from the server does the same when the page is closed; the tag keeps both to one on screen. */
import { t } from '../app/i18n.svelte';
import { ring } from '../app/sound';
import { sound as heard } from '../app/sound.svelte';
import { worker } from '../app/worker.svelte';
import { alertSound } from '../care/alert-sound.svelte';
import type { Target } from '../sw/notices';
import type { HomeAlert } from './home.svelte';
import { isResting } from './overview';

/** As long as a sound takes to grow, and a little. */
const SOUNDS_MS = 45_000;
const HUSHED = 'mos.hushed';

class Attention {
  #known: Set<string> | null = null;
  /** Until when the newest alert calls, in ms. */
  #until = 0;
  #hush: () => void = () => undefined;

  constructor() {
    addEventListener('storage', ({ key }) => key === HUSHED && this.#end());
  }

  /** Somebody is at the page, or at another tab of it: it need not call them. */
  quiet(): void {
    if (Date.now() < this.#until) tellTabs();
    this.#end();
  }

  /** Call when this tab may have become the one that is heard. */
  goOn(): void {
    if (Date.now() < this.#until) this.#play();
  }

  /** Whether a new alert is heard from this page, or its person has asked for silence. */
  hears(): boolean {
    return alertSound.chosen === 'none' || !heard.locked;
  }

  /** Call with the open alerts whenever they may have changed. What was open from the start is not new. */
  look(alerts: readonly HomeAlert[], now: number): void {
    const waiting = alerts.filter(({ alert }) => !isResting(alert, now));
    const before = this.#known;
    this.#known = new Set(waiting.map(({ alert }) => alert.id));
    // Somebody else was faster.
    if (waiting.length === 0) this.#end();
    if (before === null) return;
    const fresh = waiting.filter(({ alert }) => !before.has(alert.id));
    if (fresh.length === 0) return;
    this.#until = Date.now() + SOUNDS_MS;
    this.#play();
    if (document.hidden) for (const each of fresh) notify(each);
  }

  /** Of several tabs one is heard. */
  #play(): void {
    this.#hush();
    if (heard.elsewhere) return;
    const stop = ring(alertSound.chosen);
    const timer = setTimeout(stop, SOUNDS_MS);
    this.#hush = () => {
      clearTimeout(timer);
      stop();
    };
  }

  #end(): void {
    this.#until = 0;
    this.#hush();
    this.#hush = () => undefined;
  }
}

/** A word in the store is heard by every other tab. */
function tellTabs(): void {
  try {
    localStorage.setItem(HUSHED, String(Date.now()));
  } catch {
    // A browser that stores nothing lets each tab be touched by itself.
  }
}

export const attention = new Attention();

/** On a locked screen anybody may read it: what kind it is, not whose. */
function notify({ alert, home }: HomeAlert): void {
  if (!('Notification' in window) || Notification.permission !== 'granted') return;
  // Through the service worker, which answers the tap as it does for a push: phones let no page show one by itself.
  const target: Target = { kind: 'alert', space: home.resident.space, alert: alert.id };
  void worker.registration
    ?.showNotification(t('supporter.notice.title'), {
      body: t(`supporter.notice.${alert.unwilling ? 'unwilling' : alert.kind}`),
      tag: alert.id,
      icon: '/icons/icon-192.png',
      data: target,
    })
    .catch(() => undefined);
}
