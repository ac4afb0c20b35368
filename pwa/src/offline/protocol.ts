/** MOS-Sync 1 as it travels: see docs/sync.md. Types only, and the one kind of error a request ends with. */
import type { Json } from './model';

export const PROTO = 1;
export const SCHEMA = 1;

interface Stamped {
  readonly op: string;
  /** Number on this device and in this space, contiguous from 1. */
  readonly n: number;
  readonly space: string;
  readonly hlc: string;
  readonly coll: string;
  /** Ops of one push with the same `g` are taken as a whole or not at all. */
  readonly g?: string;
}
export interface SetOp extends Stamped {
  readonly k: 'set';
  readonly rec: string;
  readonly f: Readonly<Record<string, Json>>;
}
/** Its record's id is the op's own. */
export interface EventOp extends Stamped {
  readonly k: 'event';
  readonly v: Readonly<Record<string, Json>>;
}
/** A proposed value for a record whose value has to be confirmed. */
export interface SafetyOp extends Stamped {
  readonly k: 'safety';
  readonly rec: string;
  /** The version its author saw as the latest, a waiting one of their own included. */
  readonly base: string | null;
  /** The latest version that had come from the server. */
  readonly trunk: string | null;
  readonly v: Readonly<Record<string, Json>>;
}
/** A choice in a conflict about `rec`. */
export interface ResolveOp extends Stamped {
  readonly k: 'resolve';
  readonly rec: string;
  readonly base: string | null;
  readonly seen: readonly string[];
  readonly choose: string | null;
  readonly why: string;
}
export type Op = SetOp | EventOp | SafetyOp | ResolveOp;

/** Numbers `n`, as inclusive pairs. */
export type Ranges = readonly (readonly [number, number])[];

export interface Hello {
  readonly proto: readonly [number, number];
  readonly schema: number;
  readonly app: string;
  readonly device_id: string;
  readonly client_now: string;
  readonly sent: Readonly<Record<string, number>>;
  /** What the server misses and this device no longer has. */
  readonly lost?: Readonly<Record<string, Ranges>>;
  /** Spaces of which nothing is left here. */
  readonly purged?: readonly string[];
  /** Refused changes that whoever wrote them has read. */
  readonly read?: readonly string[];
}
/** A change of whoever is signed in that was refused, here or on another device, and that they have not read. */
export interface ToldRefusal {
  readonly op: string;
  readonly space: string;
  readonly coll: string;
  readonly rec: string | null;
  readonly what: Json;
  readonly code: string;
  readonly verdict: string;
  readonly at: string;
  /** They may not see what was written any more. */
  readonly bare?: boolean;
}
export interface Grant {
  readonly id: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly kind?: string;
  readonly of?: string;
  /** Where all of it can be fetched as a stream. */
  readonly snap?: string;
}
export interface Limits {
  readonly ops: number;
  readonly bytes: number;
}
export interface HelloAnswer {
  readonly server_now: string;
  /** `colls`: every collection that this server takes. Absent: it does not say. */
  readonly schema?: { readonly colls?: Readonly<Record<string, number>> };
  readonly lease_until: string;
  readonly limits: Limits;
  readonly acked: Readonly<Record<string, number>>;
  readonly missing?: Readonly<Record<string, Ranges>>;
  readonly spaces: readonly Grant[];
  /** Absent: an older server. */
  readonly refused?: readonly ToldRefusal[];
  readonly wipe: boolean;
}

/** Whose ops these are, when they are not those of whoever is signed in. */
export interface As {
  readonly sid: string;
  /** HMAC-SHA256 by that session's key over `signed(…)`: 64 hex digits. */
  readonly mac: string;
}
export interface Push {
  readonly proto: number;
  readonly schema: number;
  readonly device_id: string;
  readonly batch: string;
  readonly client_now: string;
  readonly as?: As;
  readonly ops: readonly Op[];
}
export type Verdict =
  | { readonly op: string; readonly s: 'applied' | 'superseded'; readonly seq: number }
  /** The server has it already; its place is that of the first time. */
  | { readonly op: string; readonly s: 'dup'; readonly seq?: number; readonly was?: string }
  /** Kept as a proposal beside others; the active value stays. The conflict's own change has the next place. */
  | {
      readonly op: string;
      readonly s: 'conflict';
      readonly seq: number;
      readonly rec: string;
      readonly why: string;
    }
  /** A choice without having seen all, or of what is decided already: to be made again. */
  | {
      readonly op: string;
      readonly s: 'stale_resolve';
      readonly seq?: number;
      readonly active: string | null;
      readonly unseen: readonly string[];
    }
  | { readonly op: string; readonly s: 'invalid' | 'forbidden'; readonly code: string }
  | { readonly op: string; readonly s: 'gone' }
  | { readonly op: string; readonly s: 'retry'; readonly after_ms: number };
export interface PushAnswer {
  readonly server_now: string;
  readonly results: readonly Verdict[];
  readonly restamped: Readonly<Record<string, string>>;
  readonly missing?: Readonly<Record<string, Ranges>>;
}

export interface Pull {
  readonly proto: number;
  readonly schema: number;
  readonly device_id: string;
  readonly spaces: Readonly<Record<string, string>>;
  readonly limit: number;
  readonly check: boolean;
  /** These are not all: nothing is said of others. */
  readonly part?: boolean;
}
/** Collection, record, place, values by group, clocks by group. */
export type WireRow = readonly [
  string,
  string,
  number,
  Record<string, Json>,
  Record<string, string>,
];
export interface Check {
  readonly n: number;
  readonly sum: string;
  readonly sq: string;
}
export interface Pulled {
  readonly id: string;
  readonly rows: readonly WireRow[];
  readonly cur: string;
  readonly more: boolean;
  readonly check?: Check;
}
export interface PullAnswer {
  readonly server_now: string;
  readonly spaces: readonly Pulled[];
  readonly added: readonly Grant[];
  readonly gone: readonly { readonly id: string; readonly why: string; readonly purge: boolean }[];
  readonly reset: readonly { readonly id: string; readonly why: string; readonly snap?: string }[];
}

/** The first line of a snapshot; then a `WireRow` per line, by record; then `{"end": true}`. */
export interface SnapshotHead extends Check {
  readonly space: string;
  readonly epoch: number;
  readonly seq: number;
  readonly tag: string;
}

/** Where to go on with a snapshot that was cut. */
export interface SnapshotPlace {
  readonly epoch: number;
  readonly at: number;
  readonly after: string;
}

export interface PokeListener {
  heads(heads: Readonly<Record<string, number>>): void;
  /** Fetch now: something rings. */
  hint(): void;
  /** What we may see or do, or who is there, is different now. */
  access(): void;
  /** This device was revoked. */
  wipe(nonce: string): void;
  /** The stream is over. `retryMs` when the server said when to come back. */
  ended(retryMs: number | null): void;
}

/** The server, as the engine sees it. A request answers or fails with a `SyncError`. */
export interface Network {
  hello(body: Hello): Promise<HelloAnswer>;
  push(body: Push): Promise<PushAnswer>;
  pull(body: Pull): Promise<PullAnswer>;
  /** The lines of a snapshot as they come, read as JSON. A cut ends it with an error; whatever came before counts. */
  snapshot(path: string, from: SnapshotPlace | null): AsyncIterable<unknown>;
  /** Everything is forgotten here, as the server asked. */
  wiped(body: { readonly device_id: string; readonly nonce: string }): Promise<void>;
  /** End a session of whoever was signed in here, or with null the one that is still open. Resolves too when it was over
   *  already. */
  end(sid: string | null): Promise<void>;
  /** Listen until the returned function is called. */
  poke(listener: PokeListener): () => void;
}

export type SyncFailure =
  /** No answer came; it may have been applied all the same. */
  | 'offline'
  | 'signed_out'
  /** This device was revoked: forget everything. */
  | 'wipe'
  | 'upgrade_required'
  | 'too_large'
  | 'malformed'
  /** The server does not believe whose changes these are. */
  | 'not_the_author'
  /** This is not offered, or no longer as asked for. */
  | 'no_snapshot'
  | 'stale_snapshot'
  /** The server asks for patience, or fell over. */
  | 'busy';

export class SyncError extends Error {
  constructor(
    readonly kind: SyncFailure,
    readonly retryAfterMs: number | null = null,
    /** Of a `wipe`: to be said when it is done. */
    readonly nonce: string | null = null,
  ) {
    super(kind);
    this.name = 'SyncError';
  }
}

/** The place in a cursor `epoch.seq.tag`; 0 for one that has seen nothing. */
export function seqOf(cursor: string): number {
  return Number(cursor.split('.')[1] ?? 0);
}
