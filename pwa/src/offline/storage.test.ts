import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import dump from './dumps/v1.json';
import { disk, empty, SPACE, World, type Device } from './devices.testing';
import { settle } from './fake.testing';
import type { Op } from './protocol';
import { NoStorage } from './rescue';
import type { LocalReplica } from './replica';

let world: World;
let tablet: Device;

beforeEach(() => {
  world = new World();
  tablet = world.device();
  vi.stubGlobal('reportError', () => undefined);
});

afterEach(async () => {
  await world.close();
  vi.unstubAllGlobals();
});

function raw(version: number, upgrade: (db: IDBDatabase) => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('tablet', version);
    opening.onupgradeneeded = () => upgrade(opening.result);
    opening.onsuccess = () => resolve(opening.result);
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it is one
    opening.onerror = () => reject(opening.error);
  });
}

/** A disk as the first app left it. */
async function restore(): Promise<void> {
  const db = await raw(dump.version, (made) => {
    for (const [name, { keyPath, indexes, rows }] of Object.entries(dump.stores)) {
      const store = made.createObjectStore(name, keyPath === null ? {} : { keyPath });
      for (const index of indexes)
        store.createIndex(index.name, index.keyPath, { unique: index.unique });
      for (const row of rows) {
        if (keyPath === null) {
          const [key, value] = row as [string, unknown];
          store.put(value, key);
        } else store.put(row);
      }
    }
  });
  db.close();
}

async function waiting(): Promise<Op[]> {
  return ((await disk('tablet', 'outbox')) as { op: Op }[]).map(({ op }) => op);
}

/** These methods of the disk fail as damaged ones do, until it is made anew. */
function damage(...where: ['get' | 'getAll', string][]): void {
  const disk = IDBObjectStore.prototype;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back, and called with their own `this`
  const { get, getAll } = disk;
  const broken = (method: 'get' | 'getAll', real: (query: never) => IDBRequest) =>
    function (this: IDBObjectStore, ...args: unknown[]): IDBRequest {
      if (where.some(([which, store]) => which === method && store === this.name))
        throw new DOMException('damaged', 'UnknownError');
      return real.apply(this, args as [never]);
    };
  Object.assign(disk, { get: broken('get', get), getAll: broken('getAll', getAll) });
  const remove = indexedDB.deleteDatabase.bind(indexedDB);
  indexedDB.deleteDatabase = (name) => {
    Object.assign(disk, { get, getAll });
    return remove(name);
  };
}

describe('a disk of version 1', () => {
  it('is taken over with all that lies on it, and what waited goes out', async () => {
    await restore();
    const before = dump.stores.outbox.rows.map(({ op }) => op.op);
    tablet.network.fate = () => 'lost';
    const replica = await world.open(tablet);

    expect(replica.rows(SPACE, 'completion')).toHaveLength(5);
    expect(replica.rows(SPACE, 'reminder')[0]?.doc['title']).toBe('Gröt');
    expect(replica.spaces()).toMatchObject([{ id: SPACE, kind: 'resident', of: null }]);
    expect((await waiting()).map(({ op }) => op)).toEqual(before);
    expect(await disk('tablet', 'acked')).toHaveLength(3);

    const op = await replica.event(SPACE, 'completion', { st: 'done' });
    expect((await waiting()).find((each) => each.op === op)?.n).toBe(8);
    tablet.network.fate = () => 'ok';
    for (let i = 0; i < 3; i++) await replica.syncNow();
    expect(world.server.space(SPACE).recs.has(op)).toBe(true);
  });
});

describe('a disk that a newer app has changed', () => {
  it('is not touched, and the app says that it is too old', async () => {
    const replica = await world.open(tablet);
    tablet.network.fate = () => 'lost';
    await replica.event(SPACE, 'completion', { st: 'done' });
    await replica.close();
    (await raw(3, (db) => db.createObjectStore('more'))).close();

    await expect(world.open(tablet)).rejects.toMatchObject({ name: 'NoStorage', why: 'newer' });
    const db = await raw(3, () => undefined);
    const kept = db.transaction('outbox').objectStore('outbox').count();
    await new Promise((resolve) => (kept.onsuccess = resolve));
    expect(kept.result).toBe(1);
    db.close();
  });

  it('while this one is open asks for a reload, and loses nothing silently', async () => {
    const replica = await world.open(tablet);
    (await raw(3, (db) => db.createObjectStore('more'))).close();

    await expect(replica.event(SPACE, 'completion', { st: 'done' })).rejects.toThrow();
    expect(replica.status().trouble).toBe('upgrade_required');
  });
});

describe('a browser that keeps nothing', () => {
  it('is told apart from a broken disk', async () => {
    vi.stubGlobal('indexedDB', undefined);
    const opening = world.open(tablet);
    await expect(opening).rejects.toBeInstanceOf(NoStorage);
    await expect(opening).rejects.toMatchObject({ why: 'none' });
  });
});

describe('a damaged disk', () => {
  async function withWaiting(): Promise<LocalReplica> {
    const replica = await world.open(tablet);
    await replica.event(SPACE, 'completion', { st: 'sent' });
    await settle();
    tablet.network.fate = () => 'lost';
    await replica.event(SPACE, 'completion', { st: 'waits' });
    await replica.close();
    return replica;
  }

  it('is built anew around what was not sent; the rest is fetched again', async () => {
    await withWaiting();
    damage(['getAll', 'base']);
    const again = await world.open(tablet, { lead: false });
    expect(await waiting()).toMatchObject([{ n: 2, v: { st: 'waits' } }]);

    tablet.network.fate = () => 'ok';
    again.lead();
    await settle();
    await again.syncNow();
    expect(again.rows(SPACE, 'completion')).toHaveLength(2);
    expect(again.status()).toMatchObject({ pending: 0, trouble: null, lost: 0 });
    expect(world.server.space(SPACE).log.map(({ op }) => op.n)).toEqual([1, 2]);
  });

  it('of which not even that can be read says so', async () => {
    await withWaiting();
    damage(['getAll', 'base'], ['get', 'outbox']);
    const replica = await world.open(tablet, { lead: false });
    await settle();

    expect(replica.status().trouble).toBe('storage_broken');
  });

  it('whose numbers are gone goes on as another device, and what waited still arrives once', async () => {
    await withWaiting();
    damage(['getAll', 'base'], ['get', 'meta']);
    const replica = await world.open(tablet, { lead: false });
    tablet.network.fate = () => 'ok';
    replica.lead();
    await settle();
    await replica.syncNow();

    expect(new Set(world.server.hellos.map(({ device_id }) => device_id)).size).toBe(2);
    expect(world.server.space(SPACE).recs.size).toBe(2);
    expect(replica.status()).toMatchObject({ pending: 0, trouble: null });
  });
});

describe('a disk that is emptied while the app is open', () => {
  it('gets back what the tab remembers, and the device stays the same', async () => {
    const replica = await world.open(tablet);
    await replica.event(SPACE, 'completion', { st: 'sent' });
    await settle();
    tablet.network.fate = () => 'lost';
    await replica.event(SPACE, 'completion', { st: 'waits' });
    await empty('tablet');

    await replica.event(SPACE, 'completion', { st: 'after' });
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    await replica.syncNow();

    expect(replica.rows(SPACE, 'completion')).toHaveLength(3);
    expect(world.server.space(SPACE).log.map(({ op }) => op.n)).toEqual([1, 2, 3]);
    expect(new Set(world.server.hellos.map(({ device_id }) => device_id)).size).toBe(1);
  });

  it('is met as who is signed in, and what waited goes out without another change', async () => {
    const replica = await world.open(tablet);
    tablet.network.fate = () => 'lost';
    await replica.event(SPACE, 'completion', { st: 'waits' });
    await empty('tablet');
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    await settle();
    await replica.syncNow();

    expect(replica.status()).toMatchObject({ trouble: null, pending: 0, online: true });
    expect(world.server.space(SPACE).log.map(({ op }) => op)).toMatchObject([
      { n: 1, v: { st: 'waits' } },
    ]);
  });

  it('gets back what waits though nobody does anything, before the tab is reloaded', async () => {
    const replica = await world.open(tablet);
    tablet.network.fate = () => 'lost';
    await replica.event(SPACE, 'completion', { st: 'waits' });
    indexedDB.deleteDatabase('tablet');
    await settle();
    await world.machine.pass(1000);
    await settle();

    expect(await disk('tablet', 'outbox')).toMatchObject([{ n: 1, op: { v: { st: 'waits' } } }]);
  });

  it('is not taken for the truth when another tab speaks', async () => {
    const replica = await world.open(tablet);
    tablet.network.fate = () => 'lost';
    await replica.event(SPACE, 'completion', { st: 'waits' });
    await empty('tablet');
    tablet.machine.channel('mos', () => undefined).say({ kind: 'listed' });
    await settle();

    expect(replica.rows(SPACE, 'completion')).toMatchObject([{ doc: { v: { st: 'waits' } } }]);
    expect(await disk('tablet', 'outbox')).toHaveLength(1);
  });

  it('gives no number again that was given before the tab was opened, or by another tab', async () => {
    const before = await world.open(tablet);
    await before.event(SPACE, 'completion', { st: 'before' });
    await before.syncNow();
    await before.syncNow();
    const open = await world.open(world.device('tablet'), { lead: false });
    await before.event(SPACE, 'completion', { st: 'beside' });
    await before.syncNow();
    await before.syncNow();
    await settle();
    tablet.network.fate = () => 'lost';
    await empty('tablet');
    await open.event(SPACE, 'completion', { st: 'after' });

    expect(await disk('tablet', 'outbox')).toMatchObject([{ n: 3, op: { v: { st: 'after' } } }]);
  });
});

describe('tabs', () => {
  /** A tab that the system can put to sleep: its timers and messages wait, and nothing is answered. */
  function sleepy(): { platform: Device['machine']; sleep: () => void; wake: () => void } {
    const { machine } = tablet;
    let asleep = false;
    let late: (() => void)[] = [];
    const awake =
      <A extends unknown[]>(then: (...args: A) => void) =>
      (...args: A): void => {
        if (asleep) late.push(() => then(...args));
        else then(...args);
      };
    const platform = Object.assign(Object.create(machine) as Device['machine'], {
      now: () => machine.now(),
      later: (ms: number, then: () => void) => machine.later(ms, awake(then)),
      channel: (name: string, hear: (message: unknown) => void) =>
        machine.channel(name, awake(hear)),
      lock: machine.lock,
    });
    return {
      platform,
      sleep: () => (asleep = true),
      wake: () => {
        asleep = false;
        for (const then of late.splice(0)) then();
        late = [];
      },
    };
  }

  it('P24: one that was put to sleep loses the lead to one that is awake; nothing is sent twice or lost', async () => {
    const { platform, sleep, wake } = sleepy();
    const first = await world.open(tablet, { platform });
    const own = world.device('tablet');
    const second = await world.open(own);
    tablet.network.fate = () => 'never';
    sleep();
    await first.event(SPACE, 'completion', { st: 'first' });
    await second.event(SPACE, 'completion', { st: 'second' });
    await tablet.machine.pass(60_000);

    expect(world.server.space(SPACE).recs.size).toBe(2);
    tablet.network.fate = () => 'ok';
    wake();
    await tablet.machine.pass(120_000);
    await first.event(SPACE, 'completion', { st: 'third' });
    await tablet.machine.pass(120_000);
    await second.syncNow();

    const numbers = world.server.space(SPACE).log.map(({ op }) => op.n);
    expect(numbers).toEqual([1, 2, 3]);
    for (const each of [first, second]) {
      expect(each.rows(SPACE, 'completion')).toHaveLength(3);
      expect(each.status()).toMatchObject({ pending: 0, lost: 0 });
    }
  });

  it('P24: two that believe they lead do no harm', async () => {
    const first = await world.open(tablet);
    const { machine } = tablet;
    // No Web Locks: everybody leads.
    const free = Object.assign(Object.create(machine) as Device['machine'], {
      lock: (_: string, whileHeld: () => Promise<void>) => void whileHeld(),
    });
    const second = await world.open(world.device('tablet'), { platform: free });
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => (i % 2 ? first : second).event(SPACE, 'x', { i })),
    );
    await settle();
    await Promise.all([first.syncNow(), second.syncNow()]);
    await Promise.all([first.syncNow(), second.syncNow()]);

    const log = world.server.space(SPACE).log;
    expect(log.map(({ op }) => op.n)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    for (const each of [first, second]) {
      expect(each.rows(SPACE, 'x')).toHaveLength(30);
      expect(each.status()).toMatchObject({ pending: 0, lost: 0 });
    }
    expect(await disk('tablet', 'outbox')).toEqual([]);
  });
});
