/** Files on their way to the server: kept on this device until it has them. Knows no domain. */
import type { Store } from './store';

export interface Upload {
  /** Where it goes, below `/api/v1/`. */
  readonly path: string;
  /** Whose it is: the account that is to send it. */
  readonly by: string;
  readonly file: ArrayBuffer;
  /** The server's word for why it does not take it. */
  readonly refused: string | null;
}

const NAME = 'upload/';

export async function keepUpload(store: Store, upload: Upload): Promise<void> {
  await store.database.write(['meta'], (tx) =>
    tx.objectStore('meta').put(upload, NAME + upload.path),
  );
}

/** All that waits here, of everybody. */
export async function uploads(store: Store): Promise<Upload[]> {
  const all = await store.database.read(['meta'], (tx) =>
    // `0` is what comes after `/`.
    tx.objectStore('meta').getAll(IDBKeyRange.bound(NAME, 'upload0', false, true)),
  );
  return all as Upload[];
}

export async function letGoOf(store: Store, path: string): Promise<void> {
  await store.database.write(['meta'], (tx) => tx.objectStore('meta').delete(NAME + path));
}
