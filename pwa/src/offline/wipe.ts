/** This device was revoked, or is to be another one: forget everything, in an order that leaves nothing usable when it is
 *  cut short, and say so to the server. */
import { STORES } from './database';
import { endLease, noteTime } from './people';
import type { Network } from './protocol';
import type { Identity, Store } from './store';

/** Kept until the server has heard of it: ids only. */
interface Wiping {
  readonly device_id: string;
  /** Null: nobody asked to be told. */
  readonly nonce: string | null;
}

/** Keys first, then all else. What is left is a new device with nothing on it. `now` in ms. */
export async function wipe(store: Store, nonce: string | null, now: number): Promise<void> {
  const db = store.database;
  await db.write(['meta', 'keys'], async (tx) => {
    const known = (await tx.objectStore('meta').get('identity')) as Identity | undefined;
    const wiping: Wiping = { device_id: known?.device ?? '', nonce };
    await tx.objectStore('keys').clear();
    await tx.objectStore('meta').put(wiping, 'wiping');
  });
  await finish(store, now);
}

/** Go on with a wipe that was cut short; harmless when there is none. */
async function finish(store: Store, now: number): Promise<void> {
  const fresh = store.newIdentity(now);
  await store.database.write(STORES, async (tx) => {
    const meta = tx.objectStore('meta');
    const wiping = (await meta.get('wiping')) as Wiping | undefined;
    if (wiping === undefined) return;
    await Promise.all(STORES.map((name) => tx.objectStore(name).clear()));
    await meta.put(fresh, 'identity');
    if (wiping.nonce === null) return;
    await meta.put(wiping, 'wiped');
    // Whoever looks at it next is told what became of it.
    await meta.put(now, 'emptied');
  });
}

/** What `Store.isOverdue` says has to be done before anything is shown. True when the lease is over. */
export async function catchUp(store: Store, now: number): Promise<boolean> {
  await finish(store, now);
  const isOver = await noteTime(store.database, now, 0);
  if (isOver) await endLease(store.database);
  return isOver;
}

/** The app's own files and the worker that shows messages. The page that is open goes on from memory. */
export async function dropFiles(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.map((name) => caches.delete(name)));
  // A page asks for all workers of this origin, a worker knows itself.
  const scope = globalThis as { registration?: ServiceWorkerRegistration };
  const registrations = scope.registration
    ? [scope.registration]
    : await navigator.serviceWorker.getRegistrations();
  await Promise.all(registrations.map((each) => each.unregister()));
}

/** Tell the server, when it asked and has not heard. Fails with a `SyncError`. */
export async function report(store: Store, network: Network): Promise<void> {
  const db = store.database;
  const wiped = (await db.read(['meta'], (tx) => tx.objectStore('meta').get('wiped'))) as
    { device_id: string; nonce: string } | undefined;
  if (wiped === undefined) return;
  await network.wiped(wiped);
  await db.write(['meta'], (tx) => tx.objectStore('meta').delete('wiped'));
}
