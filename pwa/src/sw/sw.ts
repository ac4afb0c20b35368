/** The service worker: keeps the app's files, shows what is pushed, sends what waits. Holds nothing in memory that matters:
 *  the browser may end it after each event. */
import {
  catchUpIfDue,
  deviceId,
  fetchNews,
  isAnswered,
  knownAbout,
  noteRang,
  record,
  sendWaiting,
  signedOut,
  words,
} from './device';
import { answer, fill, letGo, tidy } from './keep';
import { noticeOf, readPayload, type Notice, type Payload, type Target } from './notices';

declare const self: ServiceWorkerGlobalScope;

/** Not in TypeScript's library. */
interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}
interface SyncRegistration {
  readonly sync?: { register(tag: string): Promise<void> };
}

/** A message about something new may wait this long for the record that names it. */
const NEWS_MS = 4000;
/** A page that does not say within this that it sounds is taken for a silent one. */
const ANSWER_MS = 700;

self.addEventListener('install', (event) => {
  event.waitUntil(fill());
});

self.addEventListener('activate', (event) => {
  event.waitUntil(tidy().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const response = answer(event.request, self.location.origin);
  if (response !== null) event.respondWith(response);
  if (event.request.mode === 'navigate') event.waitUntil(obeyKillSwitch());
});

self.addEventListener('message', (event) => {
  if ((event.data as { kind?: unknown } | null)?.kind === 'apply')
    event.waitUntil(self.skipWaiting());
});

self.addEventListener('push', (event) => {
  const payload = readPayload(event.data?.text() ?? '');
  if (payload !== null) event.waitUntil(take(payload));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const target = event.notification.data as Target;
  event.waitUntil(event.action === '' ? show(target) : tapped(event.action, target));
});

(
  self as unknown as { addEventListener(type: 'sync', then: (event: SyncEvent) => void): void }
).addEventListener('sync', (event) => {
  // A failure makes the browser try again later.
  if (event.tag === 'outbox') event.waitUntil(sendWaiting());
});

self.addEventListener('pushsubscriptionchange', (event) => {
  (event as ExtendableEvent).waitUntil(subscribeAgain());
});

// ── pushed

async function take(payload: Payload): Promise<void> {
  if (payload.kind === 'close') {
    const open = await self.registration.getNotifications({ tag: payload.tag });
    for (const notification of open) notification.close();
    return;
  }
  // It is for somebody who signed out here without a network: now there is one, and nothing to show.
  if (await signedOut().catch(() => true)) return;
  await catchUpIfDue();
  const heard = await heardByPage(payload);
  if (payload.kind === 'ring' || payload.kind === 'alert') await news(payload);
  const pages = await windows();
  const seen = pages.some(({ visibilityState }) => visibilityState === 'visible');
  // Answered meanwhile, and the person can see that it is.
  if (payload.kind === 'ring' && seen && (await isAnswered(payload.space, payload.occ))) return;
  // A page that sounds by itself is enough; then the notification only stands there.
  await put(noticeOf(payload, await knownAbout(payload), await words()), heard);
  if (payload.kind !== 'ring' || heard) return;
  await noteRang(payload.space, payload.occ);
  await sendWaiting().catch(sendLater);
}

/** The record may be newer than what lies here: give the server a moment. */
async function news(payload: Payload): Promise<void> {
  const known = await knownAbout(payload);
  if (payload.kind === 'ring' ? known.title !== null : known.alert !== null) return;
  await Promise.race([
    fetchNews().catch(() => undefined),
    new Promise((resolve) => setTimeout(resolve, NEWS_MS)),
  ]);
}

async function put(notice: Notice, heard: boolean): Promise<void> {
  const silent = heard || notice.quiet;
  await self.registration.showNotification(notice.title, {
    body: notice.body,
    tag: notice.tag,
    data: notice.target,
    icon: '/icons/icon-192.png',
    badge: '/icons/badge-96.png',
    lang: (await words())('push.lang'),
    silent,
    requireInteraction: notice.target.kind !== 'test' && notice.target.kind !== 'channels',
    // Not in TypeScript's library: ring again when the same tag comes again, and buttons.
    ...{ renotify: !silent, actions: notice.actions },
  });
}

// ── tapped

async function tapped(action: string, target: Target): Promise<void> {
  try {
    await record(action, target);
  } catch {
    // The device could not keep it (full, or forgotten): the person has to see that.
    await show(target);
    return;
  }
  // An open page sends by itself; this is for when there is none, and harmless when there is.
  await sendWaiting().catch(sendLater);
}

async function sendLater(): Promise<void> {
  // Without Background Sync the next start of the app sends it.
  await (self.registration as SyncRegistration).sync?.register('outbox').catch(() => undefined);
}

async function show(target: Target): Promise<void> {
  const path = {
    ring: '/',
    alert: '/larm',
    test: '/installningar',
    channels: '/admin/channels',
    logs: '/admin/logs',
    delegations: '/delegeringar',
    home: '/',
  }[target.kind];
  const page = (await windows())[0];
  if (page === undefined) {
    await self.clients.openWindow(`/#${path}`);
    return;
  }
  page.postMessage({ kind: 'go', path });
  await page.focus().catch(() => undefined);
}

// ── pages

async function windows(): Promise<readonly WindowClient[]> {
  return self.clients.matchAll({ type: 'window', includeUncontrolled: true });
}

/** Tell every page of the message, and hear whether one makes it heard: a page may show something else, or be mute. */
async function heardByPage(payload: Payload): Promise<boolean> {
  const answers = (await windows()).map((page) => {
    const { port1, port2 } = new MessageChannel();
    page.postMessage({ kind: 'pushed', payload }, [port2]);
    return new Promise<boolean>((resolve) => {
      port1.onmessage = ({ data }: MessageEvent<unknown>) => resolve(data === true);
      setTimeout(() => resolve(false), ANSWER_MS);
    });
  });
  return (await Promise.all(answers)).includes(true);
}

// ── the way out of a broken release

/** `{"kill": true}`, or a list of builds: this worker takes itself and its files away; what people did stays. */
async function obeyKillSwitch(): Promise<void> {
  const told = await fetch('/kill-switch.json', { cache: 'no-store' })
    .then((response) => response.json() as Promise<{ kill?: unknown }>)
    .catch(() => ({ kill: false }));
  const killed = told.kill === true || (Array.isArray(told.kill) && told.kill.includes(__BUILD__));
  if (!killed) return;
  await letGo();
  await self.registration.unregister();
  for (const page of await windows()) await page.navigate(page.url).catch(() => undefined);
}

/** The push service changed the address: tell the server, or this device stays silent. */
async function subscribeAgain(): Promise<void> {
  const headers = { 'x-mos': '1', 'content-type': 'application/json' };
  const { key } = (await (await fetch('/api/v1/push-key')).json()) as { key: string };
  const subscription = await self.registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: key,
  });
  const { endpoint, keys } = subscription.toJSON();
  await fetch(`/api/v1/devices/${await deviceId()}/push`, {
    method: 'PUT',
    headers,
    body: JSON.stringify({ endpoint, p256dh: keys?.['p256dh'], auth: keys?.['auth'], key }),
  });
}
