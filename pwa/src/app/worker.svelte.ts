/** The service worker as the page sees it: registered, newer one waiting, messages from it. */
import type { Payload } from '../sw/notices';
import { busy } from './busy.svelte';

const LOOK_MS = 3_600_000;

class Worker {
  /** A newer app is ready on this device. */
  waiting = $state.raw<ServiceWorker | null>(null);
  #registration: ServiceWorkerRegistration | null = null;
  readonly #pushed = new Set<(payload: Payload) => void>();
  #going = false;

  /** Register, and take a waiting release at once: nobody has begun anything yet. */
  async start(onGo: (path: string) => void): Promise<void> {
    if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
    const container = navigator.serviceWorker;
    container.addEventListener('message', (event: MessageEvent<unknown>) => {
      const told = event.data as { kind?: string; path?: string; payload?: Payload } | null;
      if (told?.kind === 'go' && told.path !== undefined) onGo(told.path);
      if (told?.kind === 'pushed' && told.payload !== undefined) {
        for (const listener of this.#pushed) listener(told.payload);
      }
    });
    if (container.controller !== null) {
      // Without one this is the first visit: the worker takes over without a reload.
      container.addEventListener('controllerchange', () => void this.#reload());
    }
    if (await isKilled()) return;
    // A certificate the browser does not trust, or one told to keep nothing: the app works, but not without a network.
    const registration: ServiceWorkerRegistration | undefined = await container
      .register('/sw.js', { updateViaCache: 'none' })
      .catch(() => undefined);
    if (registration === undefined) return;
    this.#registration = registration;
    if (registration.waiting !== null && container.controller !== null) apply(registration.waiting);
    registration.addEventListener('updatefound', () => this.#watch(registration.installing));
    this.#watch(registration.installing);
    setInterval(() => void this.#look(), LOOK_MS);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) void this.#look();
    });
  }

  get registration(): ServiceWorkerRegistration | null {
    return this.#registration;
  }

  /** The person said yes, or it is night. */
  update(): void {
    if (this.waiting !== null) apply(this.waiting);
  }

  /** Told of each push message while this page is open. Returns an unsubscribe. */
  onPushed(listener: (payload: Payload) => void): () => void {
    this.#pushed.add(listener);
    return () => this.#pushed.delete(listener);
  }

  /** Have the browser send what waits when there is a network again, the app open or not. */
  async sendLater(): Promise<void> {
    const sync = (this.#registration as { sync?: { register(tag: string): Promise<void> } } | null)
      ?.sync;
    await sync?.register('outbox').catch(() => undefined);
  }

  #watch(installing: ServiceWorker | null): void {
    installing?.addEventListener('statechange', () => {
      const ready = installing.state === 'installed' && navigator.serviceWorker.controller !== null;
      if (ready) this.waiting = installing;
    });
  }

  async #look(): Promise<void> {
    await this.#registration?.update().catch(() => undefined);
  }

  /** Another tab may have said yes: this one follows as soon as nothing is under way. */
  async #reload(): Promise<void> {
    if (this.#going) return;
    this.#going = true;
    while (busy.now) await new Promise((resolve) => setTimeout(resolve, 1000));
    location.reload();
  }
}

export const worker = new Worker();

function apply(waiting: ServiceWorker): void {
  waiting.postMessage({ kind: 'apply' });
}

/** The operator has switched workers off (docs: kill-switch.json). Without a network nothing is known: go on. */
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
