/** What the replica needs of the machine it runs on, so that a test can be the machine. */
import type { Random } from './ids';

export interface Platform {
  /** ms since 1970, as this device believes. */
  now(): number;
  readonly random: Random;
  /** Call back after `ms`; the returned function takes it back. */
  later(ms: number, then: () => void): () => void;
  /** Between 0 and 1, for jitter. */
  chance(): number;
  /** Run `whileHeld` when no other tab holds the name, or at once if it is to be taken from the one who does. It holds
   *  until the promise settles, or another tab takes it: then `robbed`. */
  lock(
    name: string,
    whileHeld: () => Promise<void>,
    how: { readonly steal: boolean; readonly robbed: () => void },
  ): void;
  /** Speak with the other tabs and the service worker. */
  channel(
    name: string,
    hear: (message: unknown) => void,
  ): { say(message: unknown): void; close(): void };
}

export function browserPlatform(): Platform {
  return {
    now: () => Date.now(),
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    later: (ms, then) => {
      const timer = setTimeout(then, ms);
      return () => {
        clearTimeout(timer);
      };
    },
    chance: () => Math.random(),
    lock: (name, whileHeld, { steal, robbed }) => {
      // Plain http has no Web Locks: then every tab leads, which costs requests but does no harm.
      if ('locks' in navigator)
        void navigator.locks.request(name, { steal }, whileHeld).catch(robbed);
      else void whileHeld();
    },
    channel: (name, hear) => {
      const channel = new BroadcastChannel(name);
      channel.onmessage = (event: MessageEvent<unknown>) => {
        hear(event.data);
      };
      return {
        say: (message) => {
          channel.postMessage(message);
        },
        close: () => {
          channel.close();
        },
      };
    },
  };
}
