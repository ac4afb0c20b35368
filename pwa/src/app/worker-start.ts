/** Registers the service worker, hears it, and follows it to a newer release. */
import type { Payload } from '../sw/notices';
import { busy } from './busy.svelte';
import { worker } from './worker.svelte';

const LOOK_MS = 3_600_000;

/** Take a waiting release at once: nobody has begun anything yet. `onGo`: a notification leads to this path. */
export async function startWorker(onGo: (path: string) => void): Promise<void> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  const container = navigator.serviceWorker;
  container.addEventListener('message', (event: MessageEvent<unknown>) => {
    const told = event.data as { kind?: string; path?: string; payload?: Payload } | null;
    if (told?.kind === 'go' && told.path !== undefined) onGo(told.path);
    if (told?.kind === 'pushed' && told.payload !== undefined) {
      const heard = worker.tell(told.payload);
      event.ports[0]?.postMessage(heard && !document.hidden);
    }
  });
  // On a first visit the worker takes over the page that is there: nothing newer has come.
  let controlled = container.controller !== null;
  container.addEventListener('controllerchange', () => {
    if (controlled) void reload();
    controlled = true;
  });
  if (await isKilled()) return;
  // A certificate the browser does not trust, or one told to keep nothing: the app works, but not without a network.
  const registration: ServiceWorkerRegistration | undefined = await container
    .register('/sw.js', { updateViaCache: 'none' })
    .catch(() => undefined);
  if (registration === undefined) return;
  worker.registration = registration;
  registration.waiting?.postMessage({ kind: 'apply' });
  registration.addEventListener('updatefound', () => watch(registration.installing));
  watch(registration.installing);
  const look = (): void => void registration.update().catch(() => undefined);
  setInterval(look, LOOK_MS);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) look();
  });
}

function watch(installing: ServiceWorker | null): void {
  installing?.addEventListener('statechange', () => {
    const ready = installing.state === 'installed' && navigator.serviceWorker.controller !== null;
    if (ready) worker.waiting = installing;
  });
}

let going = false;

/** Another tab may have said yes: this one follows as soon as nothing is under way. */
async function reload(): Promise<void> {
  if (going) return;
  going = true;
  while (busy.now) await new Promise((resolve) => setTimeout(resolve, 1000));
  location.reload();
}

/** The operator has switched workers off (kill-switch.json). Without a network nothing is known: go on. */
async function isKilled(): Promise<boolean> {
  try {
    const told = (await (await fetch('/kill-switch.json', { cache: 'no-store' })).json()) as {
      kill?: unknown;
    };
    return told.kill === true;
  } catch {
    return false;
  }
}
