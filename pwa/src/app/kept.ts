/** What this device keeps of who uses it: taken up at a cold start without a network. What needs the server is in account.ts. */
import { undo } from '../care/undo.svelte';
import type { LocalReplica } from '../offline/replica';
import type { Store } from '../offline/store';
import { mos } from './mos.svelte';
import type { Session } from './session';

interface Device {
  readonly store: Store;
  readonly replica: LocalReplica;
}

let here: Device | null = null;
/** Who was here last; their unsent changes lie here even while nobody is signed in. */
let kept: Session | null = null;

/** Take up who was signed in when the app was last open. `now` in ms. */
export async function comeBack(device: Device, now: number): Promise<void> {
  here = device;
  const [session, lease] = await Promise.all([
    device.store.recall<Session>('session'),
    device.store.recall<string>('lease'),
  ]);
  if (session === undefined) return;
  kept = session;
  device.replica.showAs(session.account.id);
  // Too long without the server: what is kept here is not shown again before somebody signs in.
  if (lease === undefined || now <= Date.parse(lease)) mos.session = session;
}

export function device(): Device {
  if (here === null) throw new Error('comeBack() comes first, in main.ts.');
  return here;
}

export function lastHere(): Session | null {
  return kept;
}

/** Signed in, and known to the server. Of whoever left while that was being told, nothing is kept. */
export async function keepSession(session: Session): Promise<void> {
  // What signs changes is not kept where it could be read.
  const own = { ...session, sync_key: undefined };
  if (!(await device().store.rememberOf(session.account.id, 'session', own))) return;
  kept = session;
  mos.session = session;
  mos.signedOut = false;
}

/** This device was emptied, here or by another tab. */
export function left(): void {
  undo.forget();
  kept = null;
  mos.session = null;
  mos.signedOut = false;
}

/** For the service worker, which speaks to the person without the app. */
export async function keepLanguage(language: string): Promise<void> {
  await device().store.remember('language', language);
}
