/** The worker's own door to the local store: it reads what a message is about, writes what a tap says, and sends it. */
import type { Session } from '../app/session';
import { planOf } from '../medication/order';
import { Engine } from '../offline/engine';
import { uuid7 } from '../offline/ids';
import type { Json } from '../offline/model';
import { httpNetwork } from '../offline/network';
import { signingOut, signOut } from '../offline/people';
import { browserPlatform } from '../offline/platform';
import { SyncError } from '../offline/protocol';
import type { Told } from '../offline/replica';
import { Store, type Draft } from '../offline/store';
import { fold, recOf } from '../offline/view';
import { catchUp, dropFiles, report, wipe } from '../offline/wipe';
import en from '../locales/en/push.json';
import fi from '../locales/fi/push.json';
import sv from '../locales/sv/push.json';
import type { Known, Payload, Target, Words } from './notices';

const SNOOZE_MS = 10 * 60_000;
/** "Jag tar det" lasts as long as in the app. */
const TAKEN_MS = 30 * 60_000;
const CATALOGUES: Readonly<Record<string, Readonly<Record<string, string>>>> = { sv, en, fi };

const platform = browserPlatform();
const store = new Store('mos', platform.random);
const tabs = platform.channel('mos', () => undefined);

const network = httpNetwork();
const engine = new Engine(store, network, {
  now: () => platform.now(),
  random: platform.random,
  app: __MOS_VERSION__,
  changed: async (touched) => {
    for (const [space, recs] of touched) say({ kind: 'changed', space, recs, wrote: false });
  },
  listed: async () => say({ kind: 'listed' }),
  // Comparing is the leading tab's work.
  held: () => undefined,
  counted: async () => say({ kind: 'counted' }),
  skew: () => undefined,
});

/** Fetch what is new. Fails without a network. */
export async function fetchNews(): Promise<void> {
  await engine.round().catch(obey);
}

/** Send what waits. Fails when it could not be sent. */
export async function sendWaiting(): Promise<void> {
  if (!(await signedOut())) await engine.send().catch(obey);
}

/** Whether somebody signed out here whose session was still to be ended: it has been, then. Fails when the server cannot be
 *  told. */
export async function signedOut(): Promise<boolean> {
  if ((await signingOut(store.database)) === undefined) return false;
  await signOut(store.database, network);
  say({ kind: 'counted' });
  return true;
}

/** This device was revoked: everything goes, this worker too, page or no page. */
async function obey(error: unknown): Promise<void> {
  if (!(error instanceof SyncError && error.kind === 'wipe')) throw error;
  await wipe(store, error.nonce, platform.now());
  say({ kind: 'wiped' });
  await report(store, network).catch(() => undefined);
  await dropFiles();
}

/** Too long without the server, or in the middle of a wipe: nothing that lies here is shown in a message either. */
export async function catchUpIfDue(): Promise<void> {
  const now = platform.now();
  if (!(await store.isOverdue(now))) return;
  await catchUp(store, now);
  say({ kind: 'wiped' });
}

export async function words(): Promise<Words> {
  const language = (await store.recall<string>('language')) ?? 'sv';
  const texts: Readonly<Record<string, string>> = CATALOGUES[language] ?? sv;
  return (key, params = {}) => {
    const text = texts[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (hole, name: string) => params[name] ?? hole);
  };
}

/** What lies here about the subject of a message. */
export async function knownAbout(payload: Payload): Promise<Known> {
  if (payload.kind !== 'ring' && payload.kind !== 'alert')
    return { title: null, name: null, alert: null, ver: null };
  const what =
    payload.kind === 'alert' ? (await doc(payload.space, payload.alert))['what'] : undefined;
  const alert = isObject(what) ? what : {};
  const call = text(alert['help']);
  const said = call === null ? {} : (await doc(payload.space, call))['v'];
  const unwilling = isObject(said) && said['why'] === 'unwilling';
  const occ = payload.kind === 'ring' ? payload.occ : alert['occ'];
  const rec = typeof occ === 'string' ? occ.split('@')[0] : alert['reminder'];
  const planned = typeof rec === 'string' ? await doc(payload.space, rec) : {};
  const active = isObject(planned['active']) ? planned['active'] : {};
  return {
    title: text(planned['title']) ?? text(planOf(planned)?.title),
    name: await nameOf(payload.space),
    alert: unwilling ? 'unwilling' : text(alert['kind']),
    ver: text(active['ver']),
  };
}

/** Whose day it is, or whose day the medication in this space belongs to. */
async function nameOf(space: string): Promise<string | null> {
  const [session, spaces] = await Promise.all([store.recall<Session>('session'), store.spaces()]);
  const day = spaces.find(({ id }) => id === space)?.of ?? space;
  return session?.residents.find((resident) => resident.space === day)?.name ?? null;
}

/** Whether somebody has answered this occurrence already, as far as this device knows. */
export async function isAnswered(space: string, occ: string): Promise<boolean> {
  const { base, waiting } = await store.look(space, null);
  const taken = new Set<Json | undefined>();
  const events = [
    ...base.map(({ coll, rec, doc }) => ({ coll, rec, v: doc['v'] })),
    ...waiting.map(({ op }) => ({
      coll: op.coll,
      rec: recOf(op),
      v: op.k === 'event' ? op.v : undefined,
    })),
  ];
  for (const { coll, v } of events) if (coll === 'retract' && isObject(v)) taken.add(v['of']);
  return events.some(
    ({ coll, rec, v }) =>
      coll === 'completion' && isObject(v) && v['occ'] === occ && !taken.has(rec),
  );
}

/** "Klar", "Påminn igen" or "Jag tar det": on the disk when it resolves. */
export async function record(action: string, target: Target): Promise<void> {
  const now = platform.now();
  const at = new Date(now).toISOString();
  const op = uuid7(now, platform.random);
  if (target.kind === 'ring' && action === 'done') {
    await write(target.space, {
      op,
      k: 'event',
      coll: 'completion',
      v: { occ: target.occ, at, st: 'done', ...(target.ver && { ver: target.ver }) },
    });
  } else if (target.kind === 'ring' && action === 'again') {
    const until = new Date(now + SNOOZE_MS).toISOString();
    await write(target.space, {
      op,
      k: 'event',
      coll: 'snooze',
      v: { occ: target.occ, at, until },
    });
  } else if (target.kind === 'alert' && action === 'take') {
    const by = (await store.recall<Session>('session'))?.account.id ?? '';
    const taken = { by, at, again_at: new Date(now + TAKEN_MS).toISOString() };
    await write(target.space, { op, k: 'set', coll: 'alert', rec: target.alert, f: { taken } });
  }
}

/** "It was shown here", for those who wonder whether this device is silent. Once per occurrence and device. */
export async function noteRang(space: string, occ: string): Promise<void> {
  const now = platform.now();
  const { actor } = await store.identity(now);
  const { base, waiting } = await store.look(space, null);
  const isIt = (v: Json | undefined): boolean => isObject(v) && v['occ'] === occ;
  const sent = base.some(
    ({ coll, doc, clk }) => coll === 'rang' && isIt(doc['v']) && clk['v']?.endsWith(actor) === true,
  );
  if (sent || waiting.some(({ op }) => op.k === 'event' && op.coll === 'rang' && isIt(op.v)))
    return;
  const v = { occ, at: new Date(now).toISOString(), how: 'push' };
  await write(space, { op: uuid7(now, platform.random), k: 'event', coll: 'rang', v });
}

export async function deviceId(): Promise<string> {
  return (await store.identity(platform.now())).device;
}

async function write(space: string, draft: Draft): Promise<void> {
  await store.add(space, [draft], platform.now());
  const rec = draft.k === 'event' ? draft.op : draft.rec;
  say({ kind: 'changed', space, recs: [rec], wrote: true });
}

/** The groups of one record, this device's own changes on top; none where it is not here. */
async function doc(space: string, rec: string): Promise<Readonly<Record<string, Json>>> {
  const { base, waiting } = await store.look(space, [rec]);
  const mine = waiting.filter(({ op }) => recOf(op) === rec);
  return fold(base[0], mine)?.doc ?? {};
}

function say(told: Told): void {
  tabs.say(told);
}

function isObject(value: Json | undefined | null): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: Json | undefined | null): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
