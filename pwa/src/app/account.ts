/** Who is signed in on this device: entering, coming back, leaving. Kept in the local store, so that a cold start without
 *  a network knows. */
import type { LocalReplica } from '../offline/replica';
import type { Store } from '../offline/store';
import { api, ApiError, onUnauthenticated } from './api';
import { LANGUAGES, setLanguage } from './i18n.svelte';
import { mos } from './mos.svelte';
import type { Session } from './session';

const BEAT_MS = 5 * 60_000;

let store: Store;
let replica: LocalReplica;
/** Whose unsent changes lie here while nobody is signed in. */
let kept: Session | null = null;

/** Changes of somebody else, not sent yet, would be lost by going on. */
export class Unsent extends Error {
  constructor(
    readonly whose: string,
    readonly count: number,
  ) {
    super('There are unsent changes of somebody else.');
  }
}

/** Take up who was signed in when the app was last open. No network. */
export async function comeBack(
  here: { store: Store; replica: LocalReplica },
  now: number,
): Promise<void> {
  ({ store, replica } = here);
  onUnauthenticated(() => (mos.signedOut = true));
  const [session, lease] = await Promise.all([
    store.recall<Session>('session'),
    store.recall<string>('lease'),
  ]);
  if (session === undefined) return;
  kept = session;
  await replica.belongTo(session.account.id);
  // Too long without the server: what is kept here is not shown again before somebody signs in.
  if (lease !== undefined && now > Date.parse(lease)) return;
  mos.session = session;
}

/** Ask the server whether that is still so, and tell it that this device is alive. */
export async function checkBack(): Promise<void> {
  if (mos.session === null) return;
  try {
    const session = await api.get<Session>('session');
    if (session.account.id === mos.session.account.id) await take(session);
    else await enter(session);
    await beat();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) mos.signedOut = true;
    else if (error instanceof Unsent) mos.signedOut = true;
    else if (!(error instanceof ApiError)) throw error;
  }
}

/** Before anybody signs in: what waits here stays here until it is known who it will be. */
export async function beforeEntering(): Promise<void> {
  await replica.hold();
}

/** Nobody signed in after all. */
export async function enteringFailed(): Promise<void> {
  if (kept !== null) await replica.belongTo(kept.account.id);
}

/** Somebody signed in. Fails with `Unsent` when that would lose another person's changes, unless `lose`. */
export async function enter(session: Session, { lose = false } = {}): Promise<void> {
  if (kept !== null && kept.account.id !== session.account.id) {
    const { pending } = replica.status();
    if (pending > 0 && !lose) throw new Unsent(kept.account.name, pending);
    await replica.forget();
  }
  await take(session);
  const known = LANGUAGES.find((language) => language === session.account.language);
  if (known !== undefined) await setLanguage(known);
  await replica.belongTo(session.account.id);
  void beat().catch(() => undefined);
  // Asked once somebody has a reason to keep things here; browsers decide by use.
  if (isSecureContext) void navigator.storage.persist().catch(() => false);
}

/** Sign out here and forget everything. What was not sent is lost: ask before. */
export async function leave(): Promise<void> {
  try {
    await api.delete(`devices/${await deviceId()}/push`).catch(() => undefined);
    await api.delete('session');
  } catch (error) {
    // The device forgets even when the server cannot be told; its session ends by itself.
    if (!(error instanceof ApiError)) throw error;
  }
  await replica.forget();
}

/** The local half of leaving, in this tab or told by another. */
export function left(): void {
  kept = null;
  mos.session = null;
  mos.signedOut = false;
}

export async function deviceId(): Promise<string> {
  return (await store.identity(Date.now())).device;
}

/** What this device is called by the people who see it in a list. */
export async function deviceName(): Promise<string> {
  return (await store.recall<string>('device_name')) ?? guessName();
}

export async function nameDevice(name: string): Promise<void> {
  await store.remember('device_name', name);
  await beat();
}

/** Become another device: the server knows somebody else on this one. */
export async function beAnotherDevice(): Promise<void> {
  await replica.wipe();
}

/** For the service worker, which speaks to the person without the app. */
export async function keepLanguage(language: string): Promise<void> {
  await store.remember('language', language);
}

async function take(session: Session): Promise<void> {
  await store.remember('session', session);
  kept = session;
  mos.session = session;
  mos.signedOut = false;
}

async function beat(): Promise<void> {
  const body = { name: await deviceName(), app: __MOS_VERSION__, zone_release: '' };
  await api.put(`devices/${await deviceId()}`, body);
}

/** Tell the server now and then that this device is alive, whether or not anybody changes anything. */
export function keepBeating(): void {
  setInterval(() => {
    if (mos.session !== null && !mos.signedOut) void beat().catch(() => undefined);
  }, BEAT_MS);
}

function guessName(): string {
  const agent = navigator.userAgent;
  const machine = /iPad|iPhone|Android|Windows|CrOS|Macintosh|Linux/.exec(agent)?.[0] ?? '';
  // iPads say they are a Macintosh; no Macintosh has a touch screen.
  if (machine === 'Macintosh' && navigator.maxTouchPoints > 1) return 'iPad';
  return { CrOS: 'Chromebook', Macintosh: 'Mac' }[machine] ?? machine;
}
