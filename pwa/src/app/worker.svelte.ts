/** The service worker as the page sees it. It is registered after the first screen: worker-start.ts. */
import type { Payload } from '../sw/notices';

/** Answers true when this page makes heard what the message says. */
type Listener = (payload: Payload) => unknown;

class Worker {
  /** A newer app is ready on this device. */
  waiting = $state.raw<ServiceWorker | null>(null);
  registration: ServiceWorkerRegistration | null = null;
  readonly #pushed: Listener[] = [];

  /** The person said yes, or nobody is in the middle of anything: take the newer app. The page loads anew. */
  update(): void {
    this.waiting?.postMessage({ kind: 'apply' });
  }

  /** Told of each push message while this page is open. Returns an unsubscribe. */
  onPushed(listener: Listener): () => void {
    this.#pushed.push(listener);
    return () => this.#pushed.splice(this.#pushed.indexOf(listener), 1);
  }

  /** Whether this page makes it heard by itself, so that the notification need not. */
  tell(payload: Payload): boolean {
    return [...this.#pushed].map((listener) => listener(payload)).includes(true);
  }

  /** Have the browser send what waits when there is a network again, the app open or not. */
  async sendLater(): Promise<void> {
    const sync = (this.registration as { sync?: { register(tag: string): Promise<void> } } | null)
      ?.sync;
    await sync?.register('outbox').catch(() => undefined);
  }
}

export const worker = new Worker();
