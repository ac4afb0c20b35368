/** For tests: devices of one server, each with a machine and a disk of its own. */
import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';

import { Database, STORES, type StoreName } from './database';
// The replica fetches these when they are needed; here that must take no time.
import './rescue';
import './tend';
import './wipe';
import { FakeMachine, FakeNetwork, FakeServer, settle } from './fake.testing';
import type { SessionSecret } from './keys';
import type { Platform } from './platform';
import { LocalReplica } from './replica';
import { Store } from './store';

export const EIGHT = Date.parse('2026-11-27T08:00:00Z');
export const SPACE = '0193b3a0-0000-7000-8000-000000000001';

export interface Device {
  readonly name: string;
  readonly network: FakeNetwork;
  readonly machine: FakeMachine;
}

export interface OpenHow {
  readonly lead?: boolean;
  readonly account?: string | null;
  readonly session?: SessionSecret;
  readonly platform?: Platform;
  /** The app's version. */
  readonly app?: string;
}

export class World {
  readonly machine = new FakeMachine(EIGHT);
  readonly server = new FakeServer(() => this.machine.time);
  readonly #opened: LocalReplica[] = [];
  /** How often each device was told that everything was forgotten. */
  wiped = 0;

  constructor() {
    globalThis.indexedDB = new IDBFactory();
    this.server.space(SPACE);
  }

  device(name = 'tablet', machine = this.machine): Device {
    return { name, network: new FakeNetwork(this.server), machine };
  }

  /** Another tab of a device is another opening of it. */
  async open(
    { name, network, machine }: Device,
    { lead = true, account = 'account-1', session, platform = machine, app = 'test' }: OpenHow = {},
  ): Promise<LocalReplica> {
    const replica = await LocalReplica.open({
      store: new Store(name, machine.random),
      network,
      platform,
      app,
      onWiped: () => (this.wiped += 1),
    });
    this.#opened.push(replica);
    if (account !== null) {
      replica.showAs(account);
      await (await replica.tend()).belongTo(account, session);
    }
    if (lead) {
      replica.lead();
      await settle();
    }
    return replica;
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((replica) => replica.close()));
  }
}

/** All that lies in some stores of a device's disk. */
export async function disk(name: string, ...stores: StoreName[]): Promise<unknown[]> {
  const db = new Database(name);
  const found = await db.read(stores, async (tx) => {
    const all: unknown[] = [];
    for (const store of stores) all.push(...(await tx.objectStore(store).getAll()));
    return all;
  });
  await db.close();
  return found;
}

/** Let a device's disk forget everything under its open tabs. */
export async function empty(name: string): Promise<void> {
  const db = new Database(name);
  await db.write(STORES, async (tx) => {
    for (const store of STORES) await tx.objectStore(store).clear();
  });
  await db.close();
}

/** Change a device's disk behind the app's back. */
export async function tamper(name: string, store: StoreName, key: IDBValidKey): Promise<void> {
  const db = new Database(name);
  await db.write([store], (tx) => tx.objectStore(store).delete(key));
  await db.close();
}
