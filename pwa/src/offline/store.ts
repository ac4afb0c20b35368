/** Everything this device keeps: looking at it, and what people change. Never talks to the server; what it answers is taken
 *  in by intake.ts.
 *
 *  Kept true by each transaction of both:
 *  1. `n` of a space counts 1, 2, 3… over all tabs and restarts; a stamp is later than every one before it,
 *     as the server knows it.
 *  2. A cursor and the rows it stands for are stored together.
 *  3. A change is in `outbox` until a pull has brought it back, then in `acked` for two weeks. It is never in neither,
 *     unless the server refused it (and keeps it in quarantine) or the space was taken from us.
 */
import { Database, keysOf, type StoredSpace, type Tx } from './database';
import { NEVER, send } from './hlc';
import { newActor, uuid7, type Random } from './ids';
import type { EventOp, Op, ResolveOp, SafetyOp, SetOp } from './protocol';
import type { BaseRow, Waiting } from './view';

export interface Identity {
  readonly device: string;
  readonly actor: string;
}

/** A change as a screen asks for it; `op` is made before, so that a repeated write is recognised. */
export type Draft =
  Bare<SetOp> | Bare<EventOp> | Bare<ResolveOp> | Omit<Bare<SafetyOp>, 'base' | 'trunk'>;
type Bare<O> = Omit<O, 'n' | 'space' | 'hlc' | 'g'>;

/** Who the changes made on this device belong to, and the session they are made in, if the server has told. */
export interface Author {
  readonly account: string;
  readonly sid?: string | undefined;
}

/** Whether this account is the one that is signed in here, as far as this device knows. */
export async function isHere(tx: Tx, account: string): Promise<boolean> {
  const meta = tx.objectStore('meta');
  const author = (await meta.get('author')) as Author | undefined;
  // An older app kept one person's changes, and did not write down whose.
  return author === undefined ? (await meta.get('own/held')) === false : author.account === account;
}

/** Whose changes are that somebody signs by a PIN, in which session, and who is signed in. */
export type Signed = Required<Pick<Waiting, 'by' | 'sid' | 'beside'>>;

export type More = (tx: Tx) => Promise<object>;

/** The device's store was emptied under us: by the system, or by hand. Not by `wipe`, which leaves a new device. */
export class Evicted extends Error {}

/** One space as it lies on the disk at one instant. `base` holds all records, or the ones asked for. */
export interface SpaceState {
  readonly info: StoredSpace | undefined;
  readonly base: readonly BaseRow[];
  readonly waiting: readonly Waiting[];
}

export class Store {
  readonly #db: Database;
  readonly #random: Random;
  /** What this tab remembers, for the day the disk forgets: who the device is, its latest stamp, and the last number of
   *  each space, as far as it has looked. Should another tab have gone on unseen, a number is given twice: the server takes
   *  both changes. */
  known: Identity | undefined;
  latest = NEVER;
  readonly numbers = new Map<string, number>();

  constructor(
    readonly name: string,
    random: Random,
  ) {
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

  /** Who this device is; made at the first call and kept until `wipe`. Fails with `Evicted`. */
  identity(now: number): Promise<Identity> {
    const fresh = this.newIdentity(now);
    return this.#db.write(['meta'], async (tx) => {
      const meta = tx.objectStore('meta');
      const known = (await meta.get('identity')) as Identity | undefined;
      if (known === undefined) {
        if (this.known) throw new Evicted();
        await meta.put(fresh, 'identity');
      }
      return (this.known = known ?? fresh);
    });
  }

  newIdentity(now: number): Identity {
    return { device: uuid7(now, this.#random), actor: newActor(this.#random) };
  }

  /** Whether something is to be done before anything may be shown: it was too long without the server, or a wipe was cut
   *  short. The server's clock counts, and never less than what was seen of it: a clock set back wins nothing. */
  isOverdue(now: number): Promise<boolean> {
    return this.#db.read(['meta'], async (tx) => {
      const meta = tx.objectStore('meta');
      const [lease, seen, skew, wiping] = (await Promise.all(
        ['own/lease', 'seen', 'skew', 'wiping'].map((key) => meta.get(key)),
      )) as [string?, number?, number?, unknown?];
      return !!wiping || Math.max(now + (skew ?? 0), seen ?? 0) > Date.parse(lease ?? '');
    });
  }

  /** Fails with `Evicted`: what was emptied knows of nobody who signed out. */
  async recall<T>(key: string): Promise<T | undefined> {
    return this.#db.read(['meta'], async (tx) => {
      await this.#verify(tx);
      return (await tx.objectStore('meta').get(`own/${key}`)) as T | undefined;
    });
  }

  /** Fails with `Evicted` where the store was emptied. */
  verify(): Promise<void> {
    return this.#db.read(['meta'], (tx) => this.#verify(tx));
  }

  async #verify(tx: Tx): Promise<void> {
    const identity = await tx.objectStore('meta').get('identity');
    if (identity === undefined && this.known) throw new Evicted();
  }

  async remember(key: string, value: unknown): Promise<void> {
    await this.#db.write(['meta'], (tx) => tx.objectStore('meta').put(value, `own/${key}`));
  }

  /** Keep what is known of whoever is here; false, and nothing is kept, when that is not `account` any more: they signed
   *  out while somebody was asked about them. */
  rememberOf(account: string, key: string, value: unknown): Promise<boolean> {
    return this.#db.write(['meta'], async (tx) => {
      if (!(await isHere(tx, account))) return false;
      await tx.objectStore('meta').put(value, `own/${key}`);
      return true;
    });
  }

  // ── a person changes something

  /** Number, stamp and keep changes, all or none; with several, the server takes all or none too. `at` is the device's
   *  time, ms; `more` is what a draft lacks and the disk knows; `signed`: whose they are, where not of whoever is signed in.
   *  Fails with `StorageFull` or `Evicted`. */
  add(
    space: string,
    drafts: readonly Draft[],
    at: number,
    more?: More,
    signed?: Signed,
  ): Promise<void> {
    return this.#db.write(['meta', 'outbox', 'base', 'keys'], async (tx) => {
      const meta = tx.objectStore('meta');
      const outbox = tx.objectStore('outbox');
      const [identity, last, before, skew, author] = (await Promise.all(
        ['identity', 'hlc', `n/${space}`, 'skew', 'author'].map((key) => meta.get(key)),
      )) as [Identity?, string?, number?, number?, Author?];
      if (identity === undefined) throw new Evicted();
      let n = before ?? 0;
      let hlc = last ?? NEVER;
      const g = drafts.length > 1 && { g: drafts[0]?.op };
      for (const draft of drafts) {
        // The connection was lost after the first try had been kept.
        if ((await outbox.index('op').getKey(draft.op)) !== undefined) return;
        hlc = send(hlc, at + (skew ?? 0), identity.actor);
        const op = { ...draft, ...(await more?.(tx)), ...g, n: ++n, space, hlc } as Op;
        await outbox.add({
          ...{ space, n, op, at, seq: null, parked: false },
          ...(author && { by: author.account, sid: author.sid }),
          ...signed,
        });
      }
      await Promise.all([meta.put(n, `n/${space}`), meta.put(hlc, 'hlc')]);
      this.#remember(space, n, hlc);
    });
  }

  #remember(space: string, n = 0, hlc = NEVER): void {
    this.numbers.set(space, n);
    this.latest = hlc;
  }

  // ── what lies here

  /** Fails with `Evicted`: who looks at an emptied store must not take it for the truth. */
  spaces(): Promise<StoredSpace[]> {
    return this.#db.read(['meta', 'space'], async (tx) => {
      await this.#verify(tx);
      return tx.objectStore('space').getAll();
    });
  }

  /** A space with all its records, or with those of `recs`. What somebody else left here to be sent is not shown. Fails
   *  with `Evicted`. */
  look(space: string, recs: readonly string[] | null): Promise<SpaceState> {
    return this.#db.read(['meta', 'space', 'base', 'outbox'], async (tx) => {
      const base = tx.objectStore('base');
      const meta = tx.objectStore('meta');
      await this.#verify(tx);
      const [info, author, n, hlc, waiting, rows] = await Promise.all([
        tx.objectStore('space').get(space),
        meta.get('author'),
        meta.get(`n/${space}`),
        meta.get('hlc'),
        tx.objectStore('outbox').getAll(keysOf(space)),
        recs === null
          ? base.getAll(keysOf(space))
          : Promise.all(recs.map((rec) => base.get([space, rec]))),
      ]);
      this.#remember(space, n as number, hlc as string);
      return {
        info,
        waiting: waiting.filter((each) => isShown(each, author)),
        base: rows.filter((row) => row !== undefined),
      };
    });
  }
}

/** Whether whoever uses this device now sees a change: their own, and what was signed by a PIN beside them. */
export function isShown({ by, beside }: Waiting, author: unknown): boolean {
  return isOwn(by, author) || isOwn(beside ?? by, author);
}

/** Whether a change by `by` is that of whoever uses this device now. */
export function isOwn(by: string | undefined, author: unknown): boolean {
  return by === undefined || by === (author as Author | undefined)?.account;
}
