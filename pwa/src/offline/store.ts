/** Everything this device keeps: looking at it, and what people change. Never talks to the server; what it answers is taken
 *  in by intake.ts.
 *
 *  Kept true by each transaction of both:
 *  1. `n` of a space counts 1, 2, 3… over all tabs and restarts; a stamp is later than every one before it.
 *  2. A cursor and the rows it stands for are stored together.
 *  3. A change is in `outbox` until a pull has brought it back, then in `acked` for two weeks. It is never in neither,
 *     unless the server refused it (and keeps it in quarantine) or the space was taken from us.
 */
import { Database, keysOf, STORES, StorageFull, type StoredSpace } from './database';
import { NEVER, send } from './hlc';
import { newActor, uuid7, type Random } from './ids';
import type { Json } from './model';
import type { BaseRow, Waiting } from './view';

export interface Identity {
  readonly device: string;
  readonly actor: string;
}

/** A change as a screen asks for it; `op` is made before, so that a repeated write is recognised. */
export type Draft =
  | {
      readonly op: string;
      readonly k: 'set';
      readonly coll: string;
      readonly rec: string;
      readonly f: Record<string, Json>;
    }
  | {
      readonly op: string;
      readonly k: 'event';
      readonly coll: string;
      readonly v: Record<string, Json>;
    };

/** One space as it lies on the disk at one instant. `base` holds all records, or the ones asked for. */
export interface SpaceState {
  readonly info: StoredSpace | undefined;
  readonly base: readonly BaseRow[];
  readonly waiting: readonly Waiting[];
}

export class Store {
  readonly #db: Database;
  readonly #random: Random;

  constructor(name: string, random: Random) {
    this.#db = new Database(name);
    this.#random = random;
  }

  /** For what the server answers (intake.ts). */
  get database(): Database {
    return this.#db;
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  /** Who this device is; made at the first call and kept until `wipe`. */
  identity(now: number): Promise<Identity> {
    const fresh: Identity = { device: uuid7(now, this.#random), actor: newActor(this.#random) };
    return this.#db.write(['meta'], async (tx) => {
      const meta = tx.objectStore('meta');
      const known = (await meta.get('identity')) as Identity | undefined;
      if (known === undefined) await meta.put(fresh, 'identity');
      return known ?? fresh;
    });
  }

  async recall<T>(key: string): Promise<T | undefined> {
    return (await this.#db.read(['meta'], (tx) => tx.objectStore('meta').get(`own/${key}`))) as
      T | undefined;
  }

  async remember(key: string, value: unknown): Promise<void> {
    await this.#db.write(['meta'], (tx) => tx.objectStore('meta').put(value, `own/${key}`));
  }

  // ── a person changes something

  /** Number, stamp and keep a change: one transaction. `at` is the device's time, ms. Fails with `StorageFull`. */
  async add(space: string, draft: Draft, at: number): Promise<void> {
    try {
      await this.#add(space, draft, at);
    } catch (error) {
      if (!(error instanceof StorageFull)) throw error;
      // What the server has had for a while is the first thing to give up.
      await this.#db.write(['acked'], (tx) => tx.objectStore('acked').clear());
      await this.#add(space, draft, at);
    }
  }

  #add(space: string, draft: Draft, at: number): Promise<void> {
    return this.#db.write(['meta', 'outbox'], async (tx) => {
      const meta = tx.objectStore('meta');
      const outbox = tx.objectStore('outbox');
      // The connection was lost after the first try had been kept.
      if ((await outbox.index('op').getKey(draft.op)) !== undefined) return;
      const [identity, last, before, skew] = (await Promise.all([
        meta.get('identity'),
        meta.get('hlc'),
        meta.get(`n/${space}`),
        meta.get('skew'),
      ])) as [Identity | undefined, string | undefined, number | undefined, number | undefined];
      if (identity === undefined)
        throw new Error('A change needs a device: call identity() first.');
      const n = (before ?? 0) + 1;
      const hlc = send(last ?? NEVER, at + (skew ?? 0), identity.actor);
      await Promise.all([
        outbox.add({ space, n, op: { ...draft, n, space, hlc }, at, seq: null, parked: false }),
        meta.put(n, `n/${space}`),
        meta.put(hlc, 'hlc'),
      ]);
    });
  }

  // ── what lies here

  spaces(): Promise<StoredSpace[]> {
    return this.#db.read(['space'], (tx) => tx.objectStore('space').getAll());
  }

  /** A space with all its records, or with those of `recs`. */
  look(space: string, recs: readonly string[] | null): Promise<SpaceState> {
    return this.#db.read(['space', 'base', 'outbox'], async (tx) => {
      const base = tx.objectStore('base');
      const [info, waiting, rows] = await Promise.all([
        tx.objectStore('space').get(space),
        tx.objectStore('outbox').getAll(keysOf(space)),
        recs === null
          ? base.getAll(keysOf(space))
          : Promise.all(recs.map((rec) => base.get([space, rec]))),
      ]);
      return { info, waiting, base: rows.filter((row) => row !== undefined) };
    });
  }

  /** Leave nothing of who used this device. It stays the same device: its numbers and its clock go on. */
  forget(): Promise<void> {
    return this.#db.write(STORES, async (tx) => {
      await Promise.all([
        tx.objectStore('meta').delete(IDBKeyRange.bound('own/', 'own/\uffff')),
        ...(['space', 'base', 'outbox', 'acked'] as const).map((name) =>
          tx.objectStore(name).clear(),
        ),
      ]);
    });
  }

  /** Forget everything, and become another device. */
  wipe(): Promise<void> {
    return this.#db.write(STORES, async (tx) => {
      await Promise.all(STORES.map((name) => tx.objectStore(name).clear()));
    });
  }
}
