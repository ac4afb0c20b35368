/** Words of the replica: what screens may ask of it. No domain words here, no I/O. */

export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** One record as a screen sees it: the server's state with this device's own pending changes on top. */
export interface Row {
  readonly coll: string;
  readonly rec: string;
  /** Place in the space's order; 0 while only this device has it. */
  readonly seq: number;
  readonly doc: Readonly<Record<string, Json>>;
  /** True while a change of this device has not been acknowledged. */
  readonly pending: boolean;
}

export interface SpaceInfo {
  readonly id: string;
  readonly role: string;
  readonly permissions: readonly string[];
  /** All of it has been fetched once. Before that, nothing here does not mean that there is nothing. */
  readonly arrived: boolean;
}

export interface SyncStatus {
  /** What the last attempt to reach the server said; never `navigator.onLine`. */
  readonly online: boolean;
  readonly pending: number;
  /** Moments in ms since 1970, or null. */
  readonly oldestPendingAt: number | null;
  readonly lastSyncedAt: number | null;
  /** Server clock minus device clock, ms. */
  readonly skewMs: number;
  readonly trouble: null | 'signed_out' | 'storage_full' | 'upgrade_required' | 'refused';
}

/** The one door to synchronised data. Reads are immediate and offline; writes are durable when they resolve. */
export interface Replica {
  spaces(): readonly SpaceInfo[];
  /** Rows of a collection that are not deleted (`deleted: true`), in no promised order. */
  rows(space: string, coll: string): readonly Row[];
  row(space: string, coll: string, rec: string): Row | undefined;
  /** Change groups of one record. Resolves when it is stored on this device. */
  set(space: string, coll: string, rec: string, groups: Record<string, Json>): Promise<void>;
  /** Record something that happened; returns the new record's id. */
  event(space: string, coll: string, v: Record<string, Json>): Promise<string>;
  /** Called after each change of rows, spaces or status, in this tab or another. Returns an unsubscribe. */
  onChange(listener: () => void): () => void;
  status(): SyncStatus;
  /** Try to send and fetch now. Resolves when that try is over, whatever its end. */
  syncNow(): Promise<void>;
}
