/** A new alert is heard and seen while the page is open: two soft tones, and a notification when another window
 *  is in front. Push from the server does the same when the page is closed; the tag keeps both to one on screen. */
import { t } from '../app/i18n.svelte';
import { worker } from '../app/worker.svelte';
import type { Target } from '../sw/notices';
import type { HomeAlert } from './home.svelte';
import { isResting } from './overview';

const CHOICE = 'mos.alert_sound';

class Attention {
  #known: Set<string> | null = null;
  #audio: AudioContext | null = null;
  /** Whether this device sounds; kept on the device. */
  sound = $state(stored());

  choose(sound: boolean): void {
    this.sound = sound;
    try {
      localStorage.setItem(CHOICE, sound ? 'on' : 'off');
    } catch {
      // The choice lasts until the app is closed.
    }
    if (sound) this.#play();
  }

  /** Browsers let a page sound only after it was touched: the first touch opens the door. */
  unlock(): void {
    this.#audio ??= new AudioContext();
    void this.#audio.resume();
  }

  /** Whether a new alert is heard from this page, or its person has asked for silence. */
  hears(): boolean {
    return !this.sound || this.#audio?.state === 'running';
  }

  /** Call with the open alerts whenever they may have changed. What was open from the start is not new. */
  look(alerts: readonly HomeAlert[], now: number): void {
    const waiting = alerts.filter(({ alert }) => !isResting(alert, now));
    const before = this.#known;
    this.#known = new Set(waiting.map(({ alert }) => alert.id));
    if (before === null) return;
    const fresh = waiting.filter(({ alert }) => !before.has(alert.id));
    if (fresh.length === 0) return;
    if (this.sound) this.#play();
    if (document.hidden) for (const each of fresh) notify(each);
  }

  #play(): void {
    const audio = this.#audio;
    if (audio?.state !== 'running') return;
    for (const [index, pitch] of [587, 784].entries()) tone(audio, pitch, index * 0.24);
  }
}

export const attention = new Attention();

function tone(audio: AudioContext, pitch: number, delay: number): void {
  const start = audio.currentTime + delay;
  const oscillator = new OscillatorNode(audio, { type: 'sine', frequency: pitch });
  const volume = new GainNode(audio, { gain: 0 });
  volume.gain.linearRampToValueAtTime(0.22, start + 0.04);
  volume.gain.exponentialRampToValueAtTime(0.001, start + 0.7);
  oscillator.connect(volume).connect(audio.destination);
  oscillator.start(start);
  oscillator.stop(start + 0.75);
}

/** On a locked screen anybody may read it: what kind it is, not whose. */
function notify({ alert, home }: HomeAlert): void {
  if (!('Notification' in window) || Notification.permission !== 'granted') return;
  // Through the service worker, which answers the tap as it does for a push: phones let no page show one by itself.
  const target: Target = { kind: 'alert', space: home.resident.space, alert: alert.id };
  void worker.registration
    ?.showNotification(t('supporter.notice.title'), {
      body: t(`supporter.notice.${alert.kind}`),
      tag: alert.id,
      icon: '/icons/icon-192.png',
      data: target,
    })
    .catch(() => undefined);
}

function stored(): boolean {
  try {
    return localStorage.getItem(CHOICE) !== 'off';
  } catch {
    return true;
  }
}
