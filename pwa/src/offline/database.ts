/** The device's IndexedDB: its shape, and transactions that survive a lost connection. Knows no protocol. */
import type { Refused } from './model';
import type { Op, SnapshotPlace, WireRow } from './protocol';
import type { BaseRow, Waiting } from './view';

export interface StoredSpace {
  readonly id: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly cursor: string;
  /** Absent where an older app wrote it. */
  readonly kind?: string;
  readonly of?: string | null;
  /** The cursor is that of a page after which there is more. */
  readonly partial?: boolean;
}

/** Signs changes as those of a session, in whose time they were made. Cannot be read out, only used. */
export interface SessionKey {
  readonly sid: string;
  readonly account: string;
  readonly key: CryptoKey;
}

/** A row of a snapshot on its way in. With the record `''`: which snapshot, and how far it has come. */
export interface Staged {
  readonly space: string;
  readonly rec: string;
  readonly row?: WireRow;
  readonly place?: SnapshotPlace & { readonly tag: string };
}

/** A change that the server has and a pull has brought back: kept for a while, in case the server loses its tail. */
export interface Acked {
  readonly space: string;
  readonly n: number;
  readonly op: Op;
  readonly at: number;
  readonly ackedAt: number;
  readonly by?: string | undefined;
  readonly sid?: string | undefined;
  readonly beside?: string | undefined;
}

interface Shape {
  meta: { key: string; value: unknown };
  space: { key: string; value: StoredSpace };
  base: { key: [string, string]; value: BaseRow };
  outbox: { key: [string, number]; value: Waiting; index: 'op' };
  acked: { key: [string, number]; value: Acked; index: 'ackedAt' };
  /** Since version 2. */
  keys: { key: string; value: SessionKey };
  refused: { key: string; value: Refused };
  staged: { key: [string, string]; value: Staged };
}
export type StoreName = keyof Shape;
type KeyOf<S extends StoreName> = Shape[S]['key'];
type ValueOf<S extends StoreName> = Shape[S]['value'];
type IndexOf<S extends StoreName> = Shape[S] extends { index: infer I extends string } ? I : never;
type Query = IDBValidKey | IDBKeyRange;

/** Stores come, none goes: an upgrade adds what is missing and touches nothing that lies there. */
const VERSION = 2;
const SHAPE: readonly [
  name: StoreName,
  key?: string | string[],
  index?: string,
  unique?: boolean,
][] = [
  ['meta'],
  ['space', 'id'],
  ['base', ['space', 'rec']],
  ['outbox', ['space', 'n'], 'op.op', true],
  ['acked', ['space', 'n'], 'ackedAt'],
  ['keys', 'sid'],
  ['refused', 'op'],
  ['staged', ['space', 'rec']],
];

export const STORES: StoreName[] = SHAPE.map(([name]) => name);

/** The outcome of a request. */
export function ask<T>(request: IDBRequest<T>): Promise<T> {
  const outcome = new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it is one
    request.onerror = () => reject(request.error);
  });
  // Nobody may wait for it any more when its transaction fails.
  outcome.catch(() => undefined);
  return outcome;
}

/** A store, or an index of it, in a transaction: IndexedDB with promises, as much of it as is needed here. */
class Source<S extends StoreName> {
  constructor(readonly raw: IDBObjectStore | IDBIndex) {}

  get(key: Query): Promise<ValueOf<S> | undefined> {
    return ask(this.raw.get(key));
  }

  getAll(range?: Query): Promise<ValueOf<S>[]> {
    return ask(this.raw.getAll(range) as IDBRequest<ValueOf<S>[]>);
  }

  getKey(key: Query): Promise<KeyOf<S> | undefined> {
    return ask(this.raw.getKey(key)) as Promise<KeyOf<S> | undefined>;
  }

  getAllKeys(range?: Query): Promise<KeyOf<S>[]> {
    return ask(this.raw.getAllKeys(range)) as Promise<KeyOf<S>[]>;
  }

  count(range?: Query): Promise<number> {
    return ask(this.raw.count(range));
  }
}

class Stored<S extends StoreName> extends Source<S> {
  declare readonly raw: IDBObjectStore;

  add(value: ValueOf<S>): Promise<unknown> {
    return ask(this.raw.add(value));
  }

  put(value: ValueOf<S>, key?: IDBValidKey): Promise<unknown> {
    return ask(this.raw.put(value, key));
  }

  delete(range: Query): Promise<unknown> {
    return ask(this.raw.delete(range));
  }

  clear(): Promise<unknown> {
    return ask(this.raw.clear());
  }

  index(name: IndexOf<S>): Source<S> {
    return new Source(this.raw.index(name));
  }
}

export class Tx {
  readonly #raw: IDBTransaction;
  /** How it ended: null when all of it is kept. */
  readonly end: Promise<unknown>;

  constructor(raw: IDBTransaction) {
    this.#raw = raw;
    this.end = new Promise((resolve) => {
      raw.oncomplete = () => resolve(null);
      raw.onerror = raw.onabort = () =>
        resolve(raw.error ?? new DOMException('The transaction was aborted.', 'AbortError'));
    });
  }

  objectStore<S extends StoreName>(name: S): Stored<S> {
    return new Stored<S>(this.#raw.objectStore(name));
  }

  abort(): void {
    this.#raw.abort();
  }
}

/** There is no room left on the device. Nothing of the transaction was kept. */
export class StorageFull extends Error {
  constructor(options?: ErrorOptions) {
    super('The device has no room left.', options);
    this.name = 'StorageFull';
  }
}

export class Database {
  readonly #name: string;
  #opening: Promise<IDBDatabase> | null = null;
  /** The browser closed it, or somebody is about to delete it: it may be empty when it is opened again. */
  onlost: (() => void) | null = null;

  constructor(name: string) {
    this.#name = name;
  }

  /** A consistent look at the named stores. */
  read<T>(stores: StoreName[], body: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#run(stores, 'readonly', body);
  }

  /** All or nothing, and on the disk when it resolves. `body` may run twice: what it does must not add up. */
  write<T>(stores: StoreName[], body: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#run(stores, 'readwrite', body);
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = null;
    (await opening?.catch(() => null))?.close();
  }

  async #run<T>(
    stores: StoreName[],
    mode: IDBTransactionMode,
    body: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#once(stores, mode, body);
    } catch (error) {
      // iOS closes connections behind our back; a fresh one works.
      if (!isLostConnection(error)) throw error;
      await this.close();
      return this.#once(stores, mode, body);
    }
  }

  async #once<T>(
    stores: StoreName[],
    mode: IDBTransactionMode,
    body: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    const db = await this.#open();
    const durability = mode === 'readwrite' ? 'strict' : 'default';
    const tx = new Tx(db.transaction(stores, mode, { durability }));
    let result: T;
    try {
      result = await body(tx);
    } catch (error) {
      abort(tx);
      // A full disk aborts the transaction: its requests only say that they were aborted.
      throw telling((await tx.end) ?? error, error);
    }
    const failed = await tx.end;
    if (failed !== null) throw telling(failed, failed);
    return result;
  }

  #open(): Promise<IDBDatabase> {
    const request = (): Promise<IDBDatabase> => {
      const opening = indexedDB.open(this.#name, VERSION);
      opening.onupgradeneeded = () => {
        const db = opening.result;
        for (const [name, keyPath, index, unique] of SHAPE) {
          if (db.objectStoreNames.contains(name)) continue;
          const store = db.createObjectStore(name, keyPath ? { keyPath } : {});
          // An index is called as the last part of its path.
          if (index) store.createIndex(index.split('.').at(-1) ?? '', index, { unique: !!unique });
        }
      };
      return ask(opening).then((db) => {
        // A newer app in another tab wants to change the shape, or it is being deleted: make way.
        db.onversionchange = ({ newVersion }) => {
          void this.close();
          if (newVersion === null) this.onlost?.();
        };
        db.onclose = () => {
          this.#opening = null;
          this.onlost?.();
        };
        return db;
      });
    };
    this.#opening ??= request().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }
}

/** Every key of one space in a store whose key begins with the space. */
export function keysOf(space: string): IDBKeyRange {
  // An array sorts after every string and number.
  return IDBKeyRange.bound([space], [space, []]);
}

function abort(tx: { abort(): void }): void {
  try {
    tx.abort();
  } catch {
    // It is over already.
  }
}

/** The error worth reporting: a full device by its own class, else what the body threw. */
function telling(cause: unknown, thrown: unknown): unknown {
  const full = [cause, thrown].find((error) => nameOf(error) === 'QuotaExceededError');
  if (full !== undefined) return new StorageFull({ cause: full });
  return nameOf(thrown) === 'AbortError' ? cause : thrown;
}

function isLostConnection(error: unknown): boolean {
  return ['UnknownError', 'InvalidStateError', 'DatabaseClosedError', 'AbortError'].includes(
    nameOf(error),
  );
}

function nameOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : '';
}
