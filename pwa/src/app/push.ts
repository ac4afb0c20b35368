/** Web Push on this device: permission, subscription, and telling the server where to send. */
import { api } from './api';
import { deviceId } from './account';
import { device } from './kept';
import { worker } from './worker.svelte';

const SUBSCRIBE_MS = 20_000;
const DAY_MS = 86_400_000;

export type PushFailure =
  /** This browser, or a page without https, has none. */
  | 'unsupported'
  /** On an iPhone or iPad it exists only for an app on the home screen. */
  | 'install_first'
  | 'denied'
  /** The browser's own push service did not answer. */
  | 'no_service';

export class PushUnavailable extends Error {
  constructor(readonly why: PushFailure) {
    super(why);
  }
}

export function permission(): NotificationPermission {
  return 'Notification' in window ? Notification.permission : 'denied';
}

export function isInstalled(): boolean {
  const standalone = (navigator as { standalone?: boolean }).standalone === true;
  return standalone || matchMedia('(display-mode: standalone), (display-mode: fullscreen)').matches;
}

export function isApple(): boolean {
  return /iPhone|iPad|iPod/.test(navigator.userAgent) || (isMac() && navigator.maxTouchPoints > 1);
}

/** What stands in the way of push before anybody is asked; null: nothing. */
export function obstacle(): PushFailure | null {
  if (isApple() && !isInstalled()) return 'install_first';
  const possible = isSecureContext && 'serviceWorker' in navigator && 'PushManager' in window;
  return possible && 'Notification' in window ? null : 'unsupported';
}

/** Ask the person, subscribe, tell the server. Call from a gesture. Fails with `PushUnavailable` or an `ApiError`. */
export async function turnOn(): Promise<void> {
  const why = obstacle();
  if (why !== null) throw new PushUnavailable(why);
  if ((await Notification.requestPermission()) !== 'granted') throw new PushUnavailable('denied');
  await subscribe();
  await device().store.remember('push_off', false);
}

/** Where permission was given before: see to it now and every day that the server knows the address, by its present key.
 * A tablet on a wall never starts anew. */
export async function keepOn(): Promise<void> {
  const renew = async (): Promise<void> => {
    if (await isOn()) await subscribe();
  };
  setInterval(() => void renew().catch(() => undefined), DAY_MS);
  await renew();
}

/** Whether this device takes push messages, as far as it is up to the person. */
export async function isOn(): Promise<boolean> {
  const off = (await device().store.recall<boolean>('push_off')) ?? false;
  return obstacle() === null && permission() === 'granted' && !off;
}

async function subscribe(): Promise<void> {
  const registration = await soon(navigator.serviceWorker.ready);
  const { key } = await api.get<{ key: string }>('push-key');
  const before = await registration.pushManager.getSubscription();
  if (before !== null && !sameKey(before.options.applicationServerKey, key))
    await soon(before.unsubscribe());
  // With an unreachable push service neither settles.
  const subscription = await soon(
    registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }),
  );
  const { endpoint, keys } = subscription.toJSON();
  await api.put(`devices/${await deviceId()}/push`, {
    endpoint,
    p256dh: keys?.['p256dh'],
    auth: keys?.['auth'],
    key,
  });
}

export async function turnOff(): Promise<void> {
  await device().store.remember('push_off', true);
  const subscription = await worker.registration?.pushManager.getSubscription();
  // The server stops telling it all the same.
  if (subscription) await soon(subscription.unsubscribe()).catch(() => undefined);
  await api.delete(`devices/${await deviceId()}/push`);
}

async function soon<T>(what: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => {
      reject(new PushUnavailable('no_service'));
    }, SUBSCRIBE_MS),
  );
  try {
    return await Promise.race([what, late]);
  } catch (error) {
    if (error instanceof PushUnavailable) throw error;
    throw new PushUnavailable(
      error instanceof DOMException && error.name === 'NotAllowedError' ? 'denied' : 'no_service',
    );
  }
}

function sameKey(before: ArrayBuffer | null, key: string): boolean {
  if (before === null) return false;
  const text = btoa(String.fromCharCode(...new Uint8Array(before)));
  return (
    text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') === key.replace(/=+$/, '')
  );
}

function isMac(): boolean {
  return navigator.userAgent.includes('Macintosh');
}
