/** What the server answers, put on the disk. With store.ts it keeps what is written there; never talks to the server. */
import {
  keysOf,
  STORES,
  type Acked,
  type Database,
  type SessionKey,
  type StoredSpace,
  type Tx,
} from './database';
import { NEVER, receive } from './hlc';
import type { Json, Refused } from './model';
import { dropKeys } from './people';
import {
  seqOf,
  SyncError,
  type Grant,
  type HelloAnswer,
  type Op,
  type PushAnswer,
  type Ranges,
  type Verdict,
  type WireRow,
} from './protocol';
import { includes, size, without } from './ranges';
import { isOwn, type Author, type Identity } from './store';
import { recOf, type Waiting } from './view';

const RING_MS = 14 * 24 * 3600 * 1000;

export interface Settled {
  /** Records whose look may have changed, by space. */
  readonly changed: ReadonlyMap<string, string[]>;
  /** What the status counts is different now. */
  readonly counted: boolean;
  /** The longest wait the server asked for, ms. */
  readonly retryMs: number | null;
  /** The server misses what is not here any more: it is to be told. */
  readonly lost: boolean;
}

/** A change to be sent: `as` signs it when it is not that of whoever is signed in. */
export interface Unsent extends Waiting {
  readonly as: SessionKey | null;
}

export class Intake {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  // ── what is to be sent

  /** Changes the server has not answered, in the order they were made within each space. Fails while nobody is known to
   *  be signed in: what waits here must not go out under another name. */
  unsent(): Promise<Unsent[]> {
    return this.#db.read(['meta', 'keys', 'outbox'], async (tx) => {
      if ((await tx.objectStore('meta').get('own/held')) !== false)
        throw new SyncError('signed_out');
      const author = await tx.objectStore('meta').get('author');
      const keys = new Map((await tx.objectStore('keys').getAll()).map((key) => [key.sid, key]));
      const found: Unsent[] = [];
      for (const waiting of await tx.objectStore('outbox').getAll()) {
        if (waiting.seq !== null || waiting.parked) continue;
        const as = isOwn(waiting.by, author) ? null : keys.get(waiting.sid ?? '');
        if (as !== undefined) found.push({ ...waiting, as });
      }
      return found;
    });
  }

  /** The highest `n` of each space that the server has answered. */
  sent(): Promise<Record<string, number>> {
    return this.#db.read(['meta', 'space'], async (tx) => {
      const spaces = await tx.objectStore('space').getAllKeys();
      const meta = tx.objectStore('meta');
      const pairs = spaces.map(
        async (id) => [id, ((await meta.get(`sent/${id}`)) as number | undefined) ?? 0] as const,
      );
      return Object.fromEntries(await Promise.all(pairs));
    });
  }

  /** What the next hello has to say beside that. */
  news(): Promise<{ lost: Record<string, Ranges>; purged: string[] }> {
    return this.#db.read(['meta', 'outbox'], async (tx) => {
      const meta = tx.objectStore('meta');
      const lost: Record<string, Ranges> = {};
      for (const key of await meta.getAllKeys(IDBKeyRange.bound('lost/', 'lost/\uffff')))
        lost[key.slice('lost/'.length)] = (await meta.get(key)) as Ranges;
      const purged: string[] = [];
      for (const space of ((await meta.get('purged')) as string[] | undefined) ?? []) {
        if ((await tx.objectStore('outbox').count(keysOf(space))) === 0) purged.push(space);
      }
      return { lost, purged };
    });
  }

  // ── the server answers

  /** Take in the answer to hello, which told of `purged`. */
  greet(
    answer: HelloAnswer,
    purged: readonly string[],
    skewMs: number,
    now: number,
  ): Promise<{ again: string[]; lost: boolean }> {
    return this.#db.write(STORES, async (tx) => {
      const meta = tx.objectStore('meta');
      const still = ((await meta.get('purged')) as string[] | undefined) ?? [];
      await Promise.all([
        meta.put(skewMs, 'skew'),
        meta.put(answer.lease_until, 'own/lease'),
        meta.put(Date.parse(answer.server_now), 'seen'),
        meta.put(
          still.filter((space) => !purged.includes(space)),
          'purged',
        ),
        forgetOld(tx, now),
      ]);
      for (const grant of answer.spaces) await admit(tx, grant);
      const again: string[] = [];
      let lost = false;
      for (const [space, acked] of Object.entries(answer.acked)) {
        // A device restored from an old copy must not give a number twice.
        const n = ((await meta.get(`n/${space}`)) as number | undefined) ?? 0;
        if (acked > n) await meta.put(acked, `n/${space}`);
        const sent = ((await meta.get(`sent/${space}`)) as number | undefined) ?? 0;
        const missing = answer.missing?.[space] ?? [];
        const tail: Ranges = acked < sent ? [...missing, [acked + 1, sent]] : missing;
        if (await sendAgain(tx, space, tail)) again.push(space);
        if (acked < sent) await meta.put(acked, `sent/${space}`);
        lost = (await noteLost(tx, space, missing)) || lost;
      }
      return { again, lost };
    });
  }

  setSkew(skewMs: number): Promise<unknown> {
    return this.#db.write(['meta'], (tx) => tx.objectStore('meta').put(skewMs, 'skew'));
  }

  /** Spaces we may see from now on. */
  admit(grants: readonly Grant[]): Promise<void> {
    return this.#db.write(['space'], async (tx) => {
      for (const grant of grants) await admit(tx, grant);
    });
  }

  /** Take in the answer to a push. */
  settle({ results, restamped, missing }: PushAnswer, now: number): Promise<Settled> {
    return this.#db.write(STORES, async (tx) => {
      const author = (await tx.objectStore('meta').get('author')) as Author | undefined;
      const changed = new Map<string, string[]>();
      let counted = false;
      let retryMs: number | null = null;
      for (const verdict of results) {
        const key = await tx.objectStore('outbox').index('op').getKey(verdict.op);
        const waiting = key && (await tx.objectStore('outbox').get(key));
        // Another tab, or the service worker, took the same answer in before.
        if (waiting === undefined) continue;
        if (verdict.s === 'retry') {
          retryMs = Math.max(retryMs ?? 0, verdict.after_ms);
          continue;
        }
        const own = isOwn(waiting.by, author);
        counted ||= !own || 'code' in verdict;
        await noteSent(tx, waiting);
        if (own && !(await hasLeft(tx, waiting.space)))
          await takeVerdict(tx, waiting, verdict, restamped[verdict.op], now);
        // What somebody left here, or had to leave, is gone as soon as the server has judged it.
        else await tx.objectStore('outbox').delete([waiting.space, waiting.n]);
        changed.set(waiting.space, [...(changed.get(waiting.space) ?? []), recOf(waiting.op)]);
      }
      if (counted) await dropKeys(tx);
      for (const space of changed.keys()) {
        // A pull may have brought some of them back already.
        const stored = await tx.objectStore('space').get(space);
        if (stored?.cursor) await settleUpTo(tx, stored, now);
      }
      let lost = false;
      for (const [space, ranges] of Object.entries(missing ?? {})) {
        if (await sendAgain(tx, space, ranges)) changed.set(space, changed.get(space) ?? []);
        lost = (await noteLost(tx, space, ranges)) || lost;
      }
      return { changed, counted: counted || lost, retryMs, lost };
    });
  }

  /** The server cannot read this change: keep it for a newer app, out of the way of the others. */
  park(waiting: Waiting): Promise<unknown> {
    return this.#db.write(['outbox'], (tx) =>
      tx.objectStore('outbox').put({ ...waiting, parked: true }),
    );
  }

  unpark(): Promise<void> {
    return this.#db.write(['outbox'], async (tx) => {
      for (const waiting of await tx.objectStore('outbox').getAll()) {
        if (waiting.parked) await tx.objectStore('outbox').put({ ...waiting, parked: false });
      }
    });
  }

  /** Rows after the cursor `asked`, and the cursor they lead to, `more`: after which there is more. From `""` they replace
   *  the whole space.
   *  False when the space's cursor is no longer `asked`: somebody else was faster. */
  take(
    space: string,
    asked: string,
    rows: readonly WireRow[],
    cursor: string,
    now: number,
    more = false,
  ): Promise<boolean> {
    return this.#db.write(STORES, (tx) => takeRows(tx, space, asked, rows, cursor, now, more));
  }

  /** Ask for everything of a space the next time; what is here stays visible until then. */
  distrust(space: string): Promise<void> {
    return this.#db.write(['space', 'staged'], async (tx) => {
      await tx.objectStore('staged').delete(keysOf(space));
      const stored = await tx.objectStore('space').get(space);
      if (stored === undefined) return;
      await tx.objectStore('space').put({ ...stored, cursor: '', partial: false });
    });
  }

  /** Leave nothing of a space on the device, but changes without a verdict: those stay until they have one, for sending
   *  only. The next hello that finds none tells the server. */
  purge(space: string): Promise<void> {
    return this.#db.write(STORES, async (tx) => {
      const outbox = tx.objectStore('outbox');
      for (const { n, seq, parked } of await outbox.getAll(keysOf(space))) {
        if (seq !== null || parked) await outbox.delete([space, n]);
      }
      const refused = await tx.objectStore('refused').getAll();
      const meta = tx.objectStore('meta');
      const purged = ((await meta.get('purged')) as string[] | undefined) ?? [];
      await Promise.all([
        tx.objectStore('space').delete(space),
        tx.objectStore('base').delete(keysOf(space)),
        tx.objectStore('acked').delete(keysOf(space)),
        tx.objectStore('staged').delete(keysOf(space)),
        ...refused
          .filter((each) => each.space === space)
          .map(({ op }) => tx.objectStore('refused').delete(op)),
        meta.put([...new Set([...purged, space])], 'purged'),
      ]);
    });
  }
}

async function admit(tx: Tx, { id, role, permissions, kind, of }: Grant): Promise<void> {
  const spaces = tx.objectStore('space');
  const stored = await spaces.get(id);
  await spaces.put({
    ...stored,
    ...{ id, role, permissions, cursor: stored?.cursor ?? '' },
    ...(kind !== undefined && { kind, of: of ?? null }),
  });
}

/** Rows after the cursor `asked`, in one piece with the cursor they lead to: see `Intake.take`. */
export async function takeRows(
  tx: Tx,
  space: string,
  asked: string,
  rows: readonly WireRow[],
  cursor: string,
  now: number,
  more = false,
): Promise<boolean> {
  const stored = await tx.objectStore('space').get(space);
  if (stored?.cursor !== asked) return false;
  const base = tx.objectStore('base');
  if (asked === '') await base.delete(keysOf(space));
  await Promise.all(
    rows.map(([coll, rec, seq, doc, clk]) => base.put({ space, coll, rec, seq, doc, clk })),
  );
  const at = { ...stored, cursor, partial: more };
  await tx.objectStore('space').put(at);
  await advance(tx, rows, now);
  await settleUpTo(tx, at, now);
  // A place beyond all there is belongs to a history that is no more: the server says anew where it is.
  if (asked === '') await askAgain(tx, space);
  return true;
}

/** The space was taken from us: what the server says of its last changes leaves nothing of them here. */
async function hasLeft(tx: Tx, space: string): Promise<boolean> {
  if ((await tx.objectStore('space').get(space)) !== undefined) return false;
  return (((await tx.objectStore('meta').get('purged')) as string[] | undefined) ?? []).includes(
    space,
  );
}

async function noteSent(tx: Tx, { space, n }: Waiting): Promise<void> {
  const meta = tx.objectStore('meta');
  const before = ((await meta.get(`sent/${space}`)) as number | undefined) ?? 0;
  if (n > before) await meta.put(n, `sent/${space}`);
}

async function takeVerdict(
  tx: Tx,
  waiting: Waiting,
  verdict: Exclude<Verdict, { s: 'retry' }>,
  restamped: string | undefined,
  now: number,
): Promise<void> {
  const op: Op = restamped === undefined ? waiting.op : { ...waiting.op, hlc: restamped };
  const seq =
    verdict.s === 'stale_resolve' ? undefined : 'seq' in verdict ? verdict.seq : undefined;
  if (seq !== undefined) {
    await tx.objectStore('outbox').put({ ...waiting, op, seq: seq + after(op, verdict) });
    return;
  }
  await tx.objectStore('outbox').delete([waiting.space, waiting.n]);
  // Erased: not to be kept anywhere.
  if (verdict.s === 'gone') return;
  if ('code' in verdict) await tx.objectStore('refused').put(refusedAs(waiting, verdict.code));
  await keepInRing(tx, { ...waiting, op }, now);
}

/** What a proposal makes of the conflict it meets has the place after its own. */
function after(op: Op, verdict: Verdict): number {
  const conflict = verdict.s === 'conflict' || (verdict.s === 'dup' && verdict.was === 'conflict');
  return conflict || op.k === 'resolve' ? 1 : 0;
}

function refusedAs({ op, space, at }: Waiting, code: string): Refused {
  return { op: op.op, space, coll: op.coll, rec: recOf(op), what: written(op), code, at };
}

function written(op: Op): Readonly<Record<string, Json>> {
  if (op.k === 'set') return op.f;
  return op.k === 'resolve' ? { choose: op.choose, why: op.why } : { v: op.v };
}

function keepInRing(tx: Tx, { space, n, op, at, by, sid }: Waiting, now: number): Promise<unknown> {
  const acked: Acked = { space, n, op, at, ackedAt: now, ...(by && { by }), ...(sid && { sid }) };
  return tx.objectStore('acked').put(acked);
}

/** Changes that a pull has brought back lie in the ring from now on. A page may lack a record that has moved past it: only
 *  the last one settles. */
async function settleUpTo(
  tx: Tx,
  { id: space, cursor, partial }: StoredSpace,
  now: number,
): Promise<void> {
  if (partial) return;
  const upTo = seqOf(cursor);
  const outbox = tx.objectStore('outbox');
  for (const waiting of await outbox.getAll(keysOf(space))) {
    if (waiting.seq === null || waiting.seq > upTo) continue;
    await outbox.delete([space, waiting.n]);
    await keepInRing(tx, waiting, now);
  }
}

async function askAgain(tx: Tx, space: string): Promise<void> {
  const outbox = tx.objectStore('outbox');
  for (const waiting of await outbox.getAll(keysOf(space))) {
    if (waiting.seq !== null) await outbox.put({ ...waiting, seq: null });
  }
}

/** The server does not have these numbers: what we still have of them waits to be sent again. */
async function sendAgain(tx: Tx, space: string, numbers: Ranges): Promise<boolean> {
  if (numbers.length === 0) return false;
  const outbox = tx.objectStore('outbox');
  let any = false;
  for (const waiting of await outbox.getAll(keysOf(space))) {
    if (waiting.seq === null || !includes(numbers, waiting.n)) continue;
    await outbox.put({ ...waiting, seq: null });
    any = true;
  }
  for (const { ackedAt: _, ...acked } of await tx.objectStore('acked').getAll(keysOf(space))) {
    if (!includes(numbers, acked.n)) continue;
    await outbox.put({ ...acked, seq: null, parked: false });
    await tx.objectStore('acked').delete([space, acked.n]);
    any = true;
  }
  return any;
}

/** Note which of the numbers that the server misses are not here. True when that is news, for the next hello. */
async function noteLost(tx: Tx, space: string, missing: Ranges): Promise<boolean> {
  const meta = tx.objectStore('meta');
  const held = await tx.objectStore('outbox').getAllKeys(keysOf(space));
  const lost = without(
    missing,
    held.map(([, n]) => [n, n] as const),
  );
  const key = `lost/${space}`;
  const before = ((await meta.get(key)) as Ranges | undefined) ?? [];
  if (lost.length === 0) {
    if (before.length > 0) await meta.delete(key);
    return false;
  }
  const fresh = without(lost, before);
  await meta.put(lost, key);
  await meta.put((((await meta.get('lost')) as number | undefined) ?? 0) + size(fresh), 'lost');
  return fresh.length > 0;
}

async function forgetOld(tx: Tx, now: number): Promise<void> {
  const ring = tx.objectStore('acked');
  const old = await ring.index('ackedAt').getAllKeys(IDBKeyRange.upperBound(now - RING_MS));
  await Promise.all(old.map((key) => ring.delete(key)));
}

/** Our clock is later than everything we have seen. */
async function advance(tx: Tx, rows: readonly WireRow[], now: number): Promise<void> {
  let latest = NEVER;
  for (const [, , , , clk] of rows) {
    for (const hlc of Object.values(clk)) if (hlc > latest) latest = hlc;
  }
  if (latest === NEVER) return;
  const meta = tx.objectStore('meta');
  const [identity, last, skew] = (await Promise.all([
    meta.get('identity'),
    meta.get('hlc'),
    meta.get('skew'),
  ])) as [Identity | undefined, string | undefined, number | undefined];
  if (identity === undefined) return;
  await meta.put(receive(last ?? NEVER, latest, now + (skew ?? 0), identity.actor), 'hlc');
}
