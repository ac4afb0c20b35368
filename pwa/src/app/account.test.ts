import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import '../offline/tend';
import { FakeMachine, FakeNetwork, FakeServer, settle } from '../offline/fake.testing';
import { LocalReplica } from '../offline/replica';
import { Store } from '../offline/store';
import { undo } from '../care/undo.svelte';
import {
  askAgain,
  beforeEntering,
  checkBack,
  chooseLanguage,
  deviceId,
  enter,
  enteringFailed,
  leave,
} from './account';
import { language } from './i18n.svelte';
import { comeBack, left } from './kept';
import { mos } from './mos.svelte';
import type { Session } from './session';

const EIGHT = Date.parse('2026-11-27T08:00:00Z');
const SPACE = '0193b3a0-0000-7000-8000-000000000001';
const OTHER = '0193b3a0-0000-7000-8000-000000000002';

let machine: FakeMachine;
let sync: FakeServer;
let network: FakeNetwork;
let store: Store;
let replica: LocalReplica;
/** Who the cookie signs in as far as the server knows; null: nobody. `down`: no answer comes. */
let cookie: Session | null;
let down: boolean;
let asked: string[];

function aSession(change: Partial<Session> = {}): Session {
  return {
    account: { id: 'noor', name: 'Noor', role: 'caregiver', language: 'sv' },
    organisation: {
      id: 'o',
      name: 'Eken',
      policy: 'family',
      zone: 'Europe/Stockholm',
      language: 'sv',
    },
    units: [],
    residents: [],
    people: [],
    manages: false,
    device: null,
    demo: false,
    ...change,
  };
}

function elsa(space: string): Session['residents'][number] {
  return { space, account: space, name: 'Elsa', flat: '', unit: 'u', permissions: ['plan.view'] };
}

function answer(path: string, init?: RequestInit): Promise<Response> {
  const ask = `${init?.method ?? ''} ${path.replace('/api/v1/', '')}`;
  asked.push(ask);
  if (down) return Promise.reject(new TypeError('no network'));
  if (cookie === null)
    return Promise.resolve(Response.json({ code: 'signed_out' }, { status: 401 }));
  if (ask === 'PUT session/device') {
    const { device_id } = JSON.parse(init?.body as string) as { device_id: string };
    cookie = { ...cookie, device: device_id };
  }
  if (ask === 'PATCH account') {
    const change = JSON.parse(init?.body as string) as { language: string };
    cookie = { ...cookie, account: { ...cookie.account, ...change } };
  }
  return Promise.resolve(Response.json(cookie));
}

/** The app is closed and opened again. */
async function startAgain(): Promise<void> {
  left();
  await comeBack({ store, replica }, EIGHT);
}

/** Whether nothing is sent from this device. */
async function isHeld(): Promise<boolean | undefined> {
  return store.recall<boolean>('held');
}

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  vi.stubGlobal('document', { documentElement: {} });
  vi.stubGlobal('isSecureContext', false);
  vi.stubGlobal('fetch', answer);
  vi.stubGlobal('__MOS_VERSION__', 'test');
  vi.spyOn(globalThis, 'setInterval').mockReturnValue(0);
  machine = new FakeMachine(EIGHT);
  sync = new FakeServer(() => machine.time);
  sync.space(SPACE);
  [cookie, down, asked] = [null, false, []];
  store = new Store('mos', machine.random);
  network = new FakeNetwork(sync);
  replica = await LocalReplica.open({
    store,
    network,
    platform: machine,
    app: 'test',
    onWiped: left,
  });
  mos.open(replica);
  left();
  await comeBack({ store, replica }, EIGHT);
});

afterEach(async () => {
  await replica.close();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it('a browser that lost its data but not its cookie goes on as a new device', async () => {
  cookie = aSession({ device: 'the one before' });

  await checkBack(machine);

  expect(mos.session?.account.name).toBe('Noor');
  expect(cookie.device).toBe(await deviceId());
  expect(mos.signedOut).toBe(false);
});

it('whom nobody knows is asked to sign in, once', async () => {
  await checkBack(machine);

  expect(mos.session).toBeNull();
  expect(mos.signedOut).toBe(false);
  expect(asked).toEqual(['GET session']);
});

it('a start without a network shows who was here, and waits', async () => {
  await enter(aSession({ device: await deviceId() }));
  down = true;

  await checkBack(machine);

  expect(mos.session?.account.name).toBe('Noor');
  expect(mos.signedOut).toBe(false);
});

it('whose session has ended still sees what is here, and is told', async () => {
  await enter(aSession({ device: await deviceId() }));

  await checkBack(machine);

  expect(mos.session?.account.name).toBe('Noor');
  expect(mos.signedOut).toBe(true);
});

it('whoever signed out without a network is not signed in again by their cookie', async () => {
  const here = aSession({ device: await deviceId(), sid: 'sid-noor' });
  await enter(here);
  [network.fate, down] = [() => 'lost', true];
  await leave();
  expect(mos.session).toBeNull();
  await startAgain();
  await checkBack(machine);
  expect(mos.session).toBeNull();

  // There is a network again, and the cookie is of no more use than the server makes of it.
  [network.fate, down, cookie] = [() => 'ok', false, null];
  await checkBack(machine);

  expect(sync.ended).toEqual(['sid-noor']);
  expect(mos.session).toBeNull();
  expect(mos.status.left).toBeNull();
});

it('while the server cannot be told of it, nobody is let in', async () => {
  const here = aSession({ device: await deviceId(), sid: 'sid-noor' });
  await enter(here);
  network.fate = () => 'lost';
  await leave();
  [cookie, asked] = [here, []];

  await checkBack(machine);

  expect(asked).toEqual([]);
  expect(mos.session).toBeNull();
  expect(mos.status.left).toBe('signing_out');
});

it('what waits stays here when it is not known who the server takes this device for', async () => {
  await enter(aSession({ device: await deviceId() }));
  await beforeEntering();
  down = true;

  await enteringFailed({ certain: false });
  await startAgain();
  await checkBack(machine);
  expect(await isHeld()).toBe(true);

  down = false;
  cookie = aSession({ device: await deviceId() });
  await checkBack(machine);
  expect(await isHeld()).toBe(false);
});

it('what waits goes out when the server says that nobody came in', async () => {
  await enter(aSession({ device: await deviceId() }));
  await beforeEntering();

  await enteringFailed({ certain: true });

  expect(await isHeld()).toBe(false);
});

it('a language chosen at the door wins over the account’s, and becomes it', async () => {
  cookie = aSession({ device: await deviceId() });

  await chooseLanguage('fi');
  await enter(cookie);

  expect(language()).toBe('fi');
  await vi.waitFor(() => {
    expect(mos.session?.account.language).toBe('fi');
  });
});

it('a language that somebody chose is not the next one’s', async () => {
  cookie = aSession();
  await enter(cookie);
  await chooseLanguage('en');
  expect(mos.session?.account.language).toBe('en');
  left();

  await enter(aSession({ account: { id: 'alva', name: 'Alva', role: 'nurse', language: 'sv' } }));

  expect(language()).toBe('sv');
});

it('nothing of a person can be undone by the next one', async () => {
  await enter(aSession());
  undo.offer('Elsa', () => undefined);

  await enter(aSession({ account: { id: 'alva', name: 'Alva', role: 'nurse', language: 'sv' } }));

  expect(undo.current).toBeNull();
});

it('whoever signs in while the server is asked stays signed in', async () => {
  cookie = aSession({ device: await deviceId() });
  const back = checkBack(machine);
  await enter(aSession({ account: { id: 'alva', name: 'Alva', role: 'nurse', language: 'sv' } }));

  await back;

  expect(mos.session?.account.name).toBe('Alva');
});

// Wherever in between the answer comes.
it.each([0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 30])(
  'whoever signs out while the server is asked is out (%i)',
  async (turns) => {
    cookie = aSession({ device: await deviceId(), sid: 'sid-noor' });
    for (const ask of [askAgain, () => checkBack(machine)]) {
      await enter(cookie);
      let answerNow: () => void = () => undefined;
      const waits = new Promise<void>((resolve) => (answerNow = resolve));
      vi.stubGlobal('fetch', (path: string, init?: RequestInit) =>
        waits.then(() => answer(path, init)),
      );
      network.fate = () => 'ok';
      const asked = ask();
      await settle();
      network.fate = () => 'lost';
      const out = leave();
      for (let turn = 0; turn < turns; turn++) await new Promise((next) => setTimeout(next));
      answerNow();
      await Promise.all([asked, out]);

      expect(mos.session).toBeNull();
      expect(await store.recall('session')).toBeUndefined();
      expect(mos.status.left).toBe('signing_out');
      await startAgain();
      expect(mos.session).toBeNull();
    }
  },
);

it('whoever an older app let in, which did not write down whose changes are here, stays in', async () => {
  cookie = aSession({ device: await deviceId() });
  await enter(cookie);
  await store.database.write(['meta'], (tx) => tx.objectStore('meta').delete('author'));
  await startAgain();
  cookie = { ...cookie, account: { ...cookie.account, name: 'Noor A' } };

  await checkBack(machine);

  expect(mos.session?.account.name).toBe('Noor A');
  const author = await store.database.read(['meta'], (tx) => tx.objectStore('meta').get('author'));
  expect(author).toMatchObject({ account: 'noor' });
});

it('whoever is added, renamed or given another role is so here without a new start', async () => {
  cookie = aSession({ device: await deviceId() });
  await checkBack(machine);
  replica.lead();
  await settle();

  const alva = { id: 'alva', name: 'Alva', role: 'nurse' } as const;
  cookie = { ...cookie, account: { ...cookie.account, role: 'nurse' }, people: [alva] };
  sync.accessChanged();
  await settle();

  await vi.waitFor(() => {
    expect(mos.session?.people).toEqual([alva]);
    expect(mos.session?.account.role).toBe('nurse');
  });
});

it('what changes while the session is fetched is fetched, too', async () => {
  cookie = aSession({ device: await deviceId() });
  await checkBack(machine);
  replica.lead();
  await settle();
  asked = [];

  for (const name of ['Alva', 'Bo', 'Cia']) {
    cookie = { ...cookie, people: [{ id: name, name, role: 'nurse' }] };
    sync.accessChanged();
  }
  await settle();

  await vi.waitFor(() => {
    expect(mos.session?.people.map(({ name }) => name)).toEqual(['Cia']);
  });
  expect(asked.filter((ask) => ask === 'GET session').length).toBeLessThanOrEqual(2);
});

it('a resident who is added is in the session without a new start', async () => {
  cookie = aSession({ device: await deviceId(), residents: [elsa(SPACE)] });
  await checkBack(machine);
  replica.lead();
  await settle();

  cookie = { ...cookie, residents: [elsa(SPACE), elsa(OTHER)] };
  sync.space(OTHER);
  replica.nudge();
  await settle();
  await vi.waitFor(() => {
    expect(mos.session?.residents.map(({ space }) => space)).toEqual([SPACE, OTHER]);
  });
});
