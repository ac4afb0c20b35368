/** Entering, coming back, leaving: what a person and the server agree on about this device. */
import { forgetBeside } from '../offline/beside';
import { ACCESS_CHANNEL } from '../offline/leader';
import { browserPlatform, type Platform } from '../offline/platform';
import { zoneRelease } from '../plan/releases';
import { api, ApiError, onUnauthenticated } from './api';
import { guessName } from './device-name';
import { LANGUAGES, setLanguage, type Language } from './i18n.svelte';
import { device, keepSession, lastHere } from './kept';
import { mos } from './mos.svelte';
import type { Session } from './session';
import { worker } from './worker.svelte';

const AGAIN_MS = 5 * 60_000;
/** How often a session that was left without a network is tried to be ended. */
const END_MS = 30_000;
/** Grows with each person who comes in by the door: an older answer of the server says nothing about them. */
let entered = 0;

/** What somebody chose to read before they signed in; their account takes it over. */
let chosen: Language | null = null;

/** Changes of somebody else, not sent yet, would be lost by going on. */
export class Unsent extends Error {
  constructor(
    readonly whose: string,
    readonly count: number,
  ) {
    super('There are unsent changes of somebody else.');
  }
}

/** Ask the server whether whoever is kept here is still signed in; again where that was not answered. */
export async function checkBack(
  platform: Pick<Platform, 'channel'> = browserPlatform(),
): Promise<void> {
  onUnauthenticated(() => (mos.signedOut = true));
  setInterval(() => {
    if (mos.session !== null && !mos.signedOut) void meetAgain().catch(() => undefined);
  }, AGAIN_MS);
  setInterval(() => void endLeft(), END_MS);
  // Whatever emptied the device may have done so while no page was open.
  if (lastHere() === null) void forgetBeside();
  await meet();
  followResidents();
  followAccess(platform);
}

/** With nobody here the server is asked all the same: a browser may lose what is kept here and still hold its cookie. */
async function meet(): Promise<void> {
  const before = mos.session;
  const turn = entered;
  // Whoever signed out is not signed in again by a cookie that nobody could take back.
  if (!(await (await device().replica.tend()).endLeft()) || entered !== turn) return;
  try {
    const session = await ownSession();
    // Somebody came in by the door meanwhile.
    if (entered !== turn) return;
    if (session.account.id === before?.account.id) {
      if (!(await belong(session, { still: true }))) return;
      await keepSession(session);
    } else await enter(session);
    await beat();
  } catch (error) {
    const unknown = error instanceof ApiError && error.status === 401;
    if (before !== null && (unknown || error instanceof Unsent)) mos.signedOut = true;
    else if (!(error instanceof ApiError || error instanceof Unsent)) throw error;
  }
}

/** The session behind the cookie, as this device's: a browser that lost its data has become another device. */
async function ownSession(): Promise<Session> {
  const session = await api.get<Session>('session');
  const here = { device_id: await deviceId(), device_name: (await deviceName()).slice(0, 200) };
  return session.device === here.device_id ? session : api.put<Session>('session/device', here);
}

/** Synchronisation is the first to hear of residents who come and go; what the session says of them is asked for then. */
function followResidents(): void {
  const { replica } = device();
  let known = '';
  let asking = false;
  replica.onChange(() => {
    const ids = replica.spaces().flatMap(({ id, of }) => (of === null ? [id] : []));
    const now = ids.sort().join();
    if (mos.session === null || asking || now === known) return;
    const told = mos.session.residents.map(({ space }) => space);
    if (known === '' && ids.every((id) => told.includes(id))) {
      known = now;
      return;
    }
    asking = true;
    askAgain()
      .then(() => (known = now))
      .catch(() => undefined)
      .finally(() => (asking = false));
  });
}

/** The server pokes when people, roles or relations change; who is here, and by what name, is asked for then. */
function followAccess(platform: Pick<Platform, 'channel'>): void {
  let asking = false;
  let missed = false;
  const ask = async (): Promise<void> => {
    missed = asking;
    if (asking || mos.session === null) return;
    asking = true;
    await askAgain().catch(() => undefined);
    asking = false;
    if (missed) await ask();
  };
  platform.channel(ACCESS_CHANNEL, () => void ask());
}

/** Take up what the server says now of whoever is signed in. */
export async function askAgain(): Promise<void> {
  const session = await api.get<Session>('session');
  if (session.account.id === mos.session?.account.id) await keepSession(session);
}

/** Before anybody signs in: what waits here stays here until it is known who it will be. */
export async function beforeEntering(): Promise<void> {
  const tender = await device().replica.tend();
  await tender.endLeft();
  await tender.hold();
}

/** Nobody signed in after all. Unless that is `certain` the server may take this device for somebody else's now: what
 *  waits stays until it has said whose it is. */
export async function enteringFailed({ certain }: { certain: boolean }): Promise<void> {
  const before = lastHere();
  if (before === null) return;
  if (certain) await belong(before);
  else await meet();
}

/** Somebody signed in. What another person has not sent is left to be sent as theirs; fails with `Unsent` when that cannot
 *  be, unless `lose`. */
export async function enter(session: Session, { lose = false } = {}): Promise<void> {
  entered += 1;
  const { replica } = device();
  const before = lastHere();
  if (before !== null && before.account.id !== session.account.id) {
    const tender = await replica.tend();
    const { pending } = replica.status();
    if (pending > 0 && !lose && !(await tender.canLeaveUnsent()))
      throw new Unsent(before.account.name, pending);
    await tender.forget({ leaveUnsent: !lose });
  }
  const theirs = LANGUAGES.find((language) => language === session.account.language);
  const spoken = chosen ?? theirs;
  chosen = null;
  if (spoken !== undefined) await setLanguage(spoken);
  await belong(session);
  // Last: from here on the person's screens are shown.
  await keepSession(session);
  if (spoken !== undefined && spoken !== theirs) void saveLanguage(spoken);
  void beat().catch(() => undefined);
  // Asked once somebody has a reason to keep things here; browsers decide by use.
  if (isSecureContext) void navigator.storage.persist().catch(() => false);
}

/** Read in another language from now on: on this device, and with whoever is signed in or signs in next. */
export async function chooseLanguage(language: Language): Promise<void> {
  await setLanguage(language);
  if (mos.session === null || mos.signedOut) chosen = language;
  else await saveLanguage(language);
}

/** The account's language is for other devices and for letters; without a network this one still changes. */
async function saveLanguage(language: Language): Promise<void> {
  const session = await api.patch<Session>('account', { language }).catch(() => null);
  if (session !== null && session.account.id === mos.session?.account.id)
    await keepSession(session);
}

/** Whether what was not sent can wait here after signing out, to be sent as this person's by whoever signs in next. */
export async function canLeaveUnsent(): Promise<boolean> {
  return (await device().replica.tend()).canLeaveUnsent();
}

/** Sign out here and forget everything; with `leaveUnsent` what was not sent waits, seen by nobody. Else it is lost: ask
 *  before. */
export async function leave(how = { leaveUnsent: false }): Promise<void> {
  const tender = await device().replica.tend();
  // First, and in one piece: whatever happens then, nobody is signed in here any more.
  await tender.forget({ ...how, ends: { sid: lastHere()?.sid ?? null } });
  if (!(await tender.endLeft())) await worker.sendLater();
}

/** End at the server what was left here without a network. False while that cannot be told. */
export async function endLeft(): Promise<boolean> {
  if (mos.status.left !== 'signing_out') return true;
  return (await device().replica.tend()).endLeft();
}

export async function deviceId(): Promise<string> {
  return (await device().store.identity(Date.now())).device;
}

/** What this device is called by the people who see it in a list. */
export async function deviceName(): Promise<string> {
  return (
    (await device().store.recall<string>('device_name')) ??
    guessName(navigator.userAgent, navigator.maxTouchPoints)
  );
}

export async function nameDevice(name: string): Promise<void> {
  await device().store.remember('device_name', name);
  await beat();
}

/** Become another device: the server knows somebody else on this one. */
export async function beAnotherDevice(): Promise<void> {
  await (await device().replica.tend()).wipe();
}

/** What is written here is theirs from now on, and goes out. False when, with `still`, they have left. */
async function belong(
  { account, sid, sync_key: key }: Session,
  how = { still: false },
): Promise<boolean> {
  const secret = sid === undefined || key === undefined ? undefined : { sid, key };
  return (await device().replica.tend()).belongTo(account.id, secret, how);
}

async function meetAgain(): Promise<void> {
  if ((await device().store.recall<boolean>('held')) === true) await meet();
}

async function beat(): Promise<void> {
  const body = { name: await deviceName(), app: __MOS_VERSION__, zone_release: zoneRelease() };
  await api.put(`devices/${await deviceId()}`, body);
}
