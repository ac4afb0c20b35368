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
  /** What the server says this space is for. */
  readonly kind: string;
  /** The space that this one belongs to, or null. */
  readonly of: string | null;
}

/** One of several changes that are taken as a whole or not at all. */
export type Write =
  | {
      readonly k: 'set';
      readonly coll: string;
      readonly rec: string;
      readonly groups: Record<string, Json>;
    }
  | { readonly k: 'event'; readonly coll: string; readonly v: Record<string, Json> };

/** What this device has proposed for a confirmed value, and the server has not brought back yet. It changes no row. */
export interface Proposal {
  readonly op: string;
  readonly rec: string;
  readonly k: 'safety' | 'resolve';
  /** The proposed value; null for a choice between proposals. */
  readonly v: Readonly<Record<string, Json>> | null;
  /** The version chosen; null for a proposed value. */
  readonly choose: string | null;
  /** The version it was made from; null: there was none. */
  readonly base: string | null;
  /** When it was made, ms since 1970 by this device. */
  readonly at: number;
}

/** A choice between the proposals of an open conflict. */
export interface Choice {
  /** The active version as shown; null: none. */
  readonly base: string | null;
  /** The proposals that were shown. */
  readonly seen: readonly string[];
  /** One of `seen`, or `base`; null: that nothing is to be active. */
  readonly choose: string | null;
  readonly why: string;
}

/** A value to be confirmed, whole, and the version that its author had before them when they began to write it: an own
 *  proposal, or the active one, or null for none. Never the one that has come since: its change would be put back. */
export interface Value {
  readonly v: Readonly<Record<string, Json>>;
  readonly base: string | null;
}

/** A change that the server did not take: kept here until somebody has read it. */
export interface Refused {
  readonly op: string;
  readonly space: string;
  readonly coll: string;
  /** The record, for a change of one that exists; an event's is the op itself. */
  readonly rec: string;
  /** Values by group, as written. */
  readonly what: Readonly<Record<string, Json>>;
  /** The server's reason; `erased`: nothing of its space is left anywhere. */
  readonly code: string;
  /** Whether it could not be taken as it is, or its author may not. Absent where an older app wrote it. */
  readonly verdict?: 'invalid' | 'forbidden';
  /** Its space was taken from this device: what was written in it, and in which record, is not kept here. */
  readonly bare?: true;
  /** The server has told of it, and does so on every device until it has been read on one. */
  readonly kept?: true;
  /** When it was made, ms since 1970 by the device that made it. */
  readonly at: number;
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
  readonly trouble:
    | null
    | 'signed_out'
    | 'storage_full'
    | 'upgrade_required'
    | 'refused'
    /** Too long without the server: what was fetched is gone from here. Signing in brings it back; what waits is kept. */
    | 'lease_over'
    /** The device's store could not be read, and what was not sent may be lost. */
    | 'storage_broken';
  /** Nobody is here because somebody signed out and the server has not heard of it yet, or because it had this device
   *  emptied. */
  readonly left: null | 'signing_out' | 'emptied';
  /** How many changes this device has lost before the server had them, and nobody has read of. */
  readonly lost: number;
  /** Changes of people who signed out here: sent as theirs, seen by nobody else. */
  readonly waitingOthers: number;
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
  /** Change several records of one space: all of it or, if the server refuses one, nothing. At most 50. */
  group(space: string, writes: readonly Write[]): Promise<void>;
  /** Propose a value that has to be confirmed; returns the proposal's id. What `rows` shows stays until a pull changes it. */
  safety(space: string, coll: string, rec: string, value: Value): Promise<string>;
  /** Choose in a conflict about a record; returns the choice's id. */
  resolve(space: string, coll: string, rec: string, choice: Choice): Promise<string>;
  /** This person's own proposals and choices that no pull has brought back, oldest first. */
  proposals(space: string, coll: string): readonly Proposal[];
  /** This person's changes that the server refused, on this device or another, oldest first. */
  refused(): readonly Refused[];
  /** They have read it; so it goes from their other devices too. */
  forgetRefused(op: string): Promise<void>;
  /** Somebody has read how many changes this device has lost. */
  forgetLost(): Promise<void>;
  /** Called after each change of rows, spaces or status, in this tab or another. Returns an unsubscribe. */
  onChange(listener: () => void): () => void;
  status(): SyncStatus;
  /** Try to send and fetch now. Resolves when that try is over, whatever its end. */
  syncNow(): Promise<void>;
}
