/** The device's IndexedDB: its shape, and transactions that survive a lost connection. Knows no protocol. */
import {
  openDB,
  type DBSchema,
  type IDBPDatabase,
  type IDBPTransaction,
  type StoreNames,
} from 'idb';

import type { Op } from './protocol';
import type { BaseRow, Waiting } from './view';

export interface StoredSpace {
  readonly id: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly cursor: string;
}

/** A change that the server has and a pull has brought back: kept for a while, in case the server loses its tail. */
export interface Acked {
  readonly space: string;
  readonly n: number;
  readonly op: Op;
  readonly at: number;
  readonly ackedAt: number;
}

interface Shape extends DBSchema {
  meta: { key: string; value: unknown };
  space: { key: string; value: StoredSpace };
  base: { key: [string, string]; value: BaseRow };
  outbox: { key: [string, number]; value: Waiting; indexes: { op: string } };
  acked: { key: [string, number]; value: Acked; indexes: { ackedAt: number } };
}

export type StoreName = StoreNames<Shape>;
export const STORES: StoreName[] = ['meta', 'space', 'base', 'outbox', 'acked'];
export type Tx<Mode extends IDBTransactionMode> = IDBPTransaction<Shape, StoreName[], Mode>;

/** There is no room left on the device. Nothing of the transaction was kept. */
export class StorageFull extends Error {
  constructor(options?: ErrorOptions) {
    super('The device has no room left.', options);
    this.name = 'StorageFull';
  }
}

export class Database {
  readonly #name: string;
  #opening: Promise<IDBPDatabase<Shape>> | null = null;

  constructor(name: string) {
    this.#name = name;
  }

  /** A consistent look at the named stores. */
  read<T>(stores: StoreName[], body: (tx: Tx<'readonly'>) => Promise<T>): Promise<T> {
    return this.#run(stores, 'readonly', body);
  }

  /** All or nothing, and on the disk when it resolves. `body` may run twice: what it does must not add up. */
  write<T>(stores: StoreName[], body: (tx: Tx<'readwrite'>) => Promise<T>): Promise<T> {
    return this.#run(stores, 'readwrite', body);
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = null;
    (await opening?.catch(() => null))?.close();
  }

  async #run<T, Mode extends 'readonly' | 'readwrite'>(
    stores: StoreName[],
    mode: Mode,
    body: (tx: Tx<Mode>) => Promise<T>,
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

  async #once<T, Mode extends 'readonly' | 'readwrite'>(
    stores: StoreName[],
    mode: Mode,
    body: (tx: Tx<Mode>) => Promise<T>,
  ): Promise<T> {
    const db = await this.#open();
    const tx = db.transaction(stores, mode, {
      durability: mode === 'readwrite' ? 'strict' : 'default',
    });
    const done = tx.done.then(
      () => null,
      (error: unknown) => error,
    );
    let result: T;
    try {
      result = await body(tx);
    } catch (error) {
      abort(tx);
      // A full disk aborts the transaction: its requests only say that they were aborted.
      throw telling((await done) ?? error, error);
    }
    const failed = await done;
    if (failed !== null) throw telling(failed, failed);
    return result;
  }

  #open(): Promise<IDBPDatabase<Shape>> {
    this.#opening ??= openDB<Shape>(this.#name, 1, {
      upgrade(db) {
        db.createObjectStore('meta');
        db.createObjectStore('space', { keyPath: 'id' });
        db.createObjectStore('base', { keyPath: ['space', 'rec'] });
        db.createObjectStore('outbox', { keyPath: ['space', 'n'] }).createIndex('op', 'op.op', {
          unique: true,
        });
        db.createObjectStore('acked', { keyPath: ['space', 'n'] }).createIndex(
          'ackedAt',
          'ackedAt',
        );
      },
      // A newer app in another tab wants to change the shape: make way.
      blocking: () => void this.close(),
      terminated: () => (this.#opening = null),
    }).catch((error: unknown) => {
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
