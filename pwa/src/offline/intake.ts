/** What the server answers, put on the disk. With store.ts it keeps what is written there; never talks to the server. */
import { keysOf, STORES, type Database, type SessionKey, type Tx } from './database';
import { eachOf } from './each';
import { NEVER, receive } from './hlc';
import {
  askAgain,
  bared,
  dropJudged,
  hasLeft,
  noteLost,
  noteSent,
  readOf,
  refusalOf,
  sendAgain,
  settleUpTo,
  takeRefused,
  takeVerdict,
  type Judged,
} from './life';
import { isDue, noteUnread, suspectsLast, wellFormed } from './parked';
import { dropKeys } from './people';
import {
  SyncError,
  type Grant,
  type HelloAnswer,
  type PushAnswer,
  type Ranges,
  type WireRow,
} from './protocol';
import { without } from './ranges';
import { isOwn, isShown, type Author, type Identity } from './store';
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

/** What a hello has to say of what happened here: what is lost, gone, and read. */
export interface News {
  readonly lost: Readonly<Record<string, Ranges>>;
  readonly purged: readonly string[];
  readonly read: readonly string[];
  /** Whoever is here. */
  readonly by: string | undefined;
}

export interface Asked {
  /** The highest number of each space that the server had answered when it was asked. */
  readonly sent: Readonly<Record<string, number>>;
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

  /** Changes the server has not answered, in the order they were made within each space; those that it could not read last
   *  and where it is their time, by `now` in ms and the version of this app. Fails while nobody is known to be signed in:
   *  what waits here must not go out under another name. */
  unsent(now: number, app: string): Promise<Unsent[]> {
    return this.#db.read(['meta', 'keys', 'outbox'], async (tx) => {
      if ((await tx.objectStore('meta').get('own/held')) !== false)
        throw new SyncError('signed_out');
      const author = await tx.objectStore('meta').get('author');
      const colls = (await tx.objectStore('meta').get('colls')) as string[] | undefined;
      const keys = new Map((await tx.objectStore('keys').getAll()).map((key) => [key.sid, key]));
      const found: Unsent[] = [];
      const all = await tx.objectStore('outbox').getAll();
      const early = tooEarly(all, colls);
      for (const waiting of all) {
        if (waiting.seq !== null || early.has(waiting) || !isDue(waiting, now, app)) continue;
        const as = isOwn(waiting.by, author) ? null : keys.get(waiting.sid ?? '');
        if (as !== undefined) found.push({ ...waiting, op: wellFormed(waiting.op), as });
      }
      return suspectsLast(found);
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
  news(): Promise<News> {
    return this.#db.read(['meta', 'outbox'], async (tx) => {
      const meta = tx.objectStore('meta');
      const lost: Record<string, Ranges> = {};
      for (const key of await meta.getAllKeys(IDBKeyRange.bound('lost/', 'lost/\uffff')))
        lost[key.slice('lost/'.length)] = (await meta.get(key)) as Ranges;
      const purged: string[] = [];
      for (const space of ((await meta.get('purged')) as string[] | undefined) ?? []) {
        if ((await tx.objectStore('outbox').count(keysOf(space))) === 0) purged.push(space);
      }
      const author = (await meta.get('author')) as Author | undefined;
      return { lost, purged, read: await readOf(tx), by: author?.account };
    });
  }

  // ── the server answers

  /** Take in the answer to hello, which told of `purged` and `read` for the account `by`, and up to which number each space
   *  was `sent`: later ones may have arrived while the answer was on its way. */
  greet(
    answer: HelloAnswer,
    { purged, read, by, sent: told }: Omit<News, 'lost'> & Asked,
    now: number,
  ): Promise<{ again: string[]; lost: boolean }> {
    return this.#db.write(STORES, async (tx) => {
      const meta = tx.objectStore('meta');
      const still = ((await meta.get('purged')) as string[] | undefined) ?? [];
      await Promise.all([
        meta.put(answer.lease_until, 'own/lease'),
        meta.put(Date.parse(answer.server_now), 'seen'),
        meta.put(answer.schema?.colls && Object.keys(answer.schema.colls), 'colls'),
        meta.put(
          still.filter((space) => !purged.includes(space)),
          'purged',
        ),
        forgetOld(tx, now),
      ]);
      for (const grant of answer.spaces) await admit(tx, grant);
      // Meanwhile they may have left, and somebody else come: it is not theirs to read.
      const author = (await meta.get('author')) as Author | undefined;
      if (answer.refused !== undefined && by !== undefined && by === author?.account)
        await takeRefused(tx, answer.refused, read);
      const again: string[] = [];
      let lost = false;
      for (const [space, acked] of Object.entries(answer.acked)) {
        // A device restored from an old copy must not give a number twice.
        const n = ((await meta.get(`n/${space}`)) as number | undefined) ?? 0;
        if (acked > n) await meta.put(acked, `n/${space}`);
        const sent = told[space] ?? 0;
        const missing = answer.missing?.[space] ?? [];
        const tail: Ranges = acked < sent ? [...missing, [acked + 1, sent]] : missing;
        if (await sendAgain(tx, space, without(tail, [[sent + 1, Infinity]]))) again.push(space);
        if (acked < sent) await meta.put(acked, `sent/${space}`);
        lost = (await noteLost(tx, space, missing)) || lost;
      }
      return { again, lost };
    });
  }

  /** How far the server's clock is ahead of the device's, and what it reads, ms. It is believed over whatever the device has
   *  reckoned itself. */
  noteClock(skewMs: number, serverNow: number): Promise<unknown> {
    return this.#db.write(['meta'], (tx) => {
      const meta = tx.objectStore('meta');
      return Promise.all([meta.put(skewMs, 'skew'), meta.put(serverNow, 'seen')]);
    });
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
      const outbox = tx.objectStore('outbox');
      const author = (await tx.objectStore('meta').get('author')) as Author | undefined;
      const found = await eachOf(results, (verdict) => outbox.index('op').get(verdict.op));
      const judged: Judged[] = [];
      let counted = false;
      let retryMs: number | null = null;
      for (const [i, verdict] of results.entries()) {
        const waiting = found[i];
        // Another tab, or the service worker, took the same answer in before.
        if (waiting === undefined) continue;
        if (verdict.s === 'retry') retryMs = Math.max(retryMs ?? 0, verdict.after_ms);
        else {
          const whose = { own: isOwn(waiting.by, author), shown: isShown(waiting, author) };
          judged.push({ waiting, verdict, ...whose });
        }
      }
      const changed = new Map<string, string[]>();
      for (const { waiting, verdict, shown } of judged) {
        counted ||= !shown || waiting.parked || refusalOf(waiting, verdict) !== null;
        const recs = changed.get(waiting.space);
        if (recs === undefined) changed.set(waiting.space, [recOf(waiting.op)]);
        else recs.push(recOf(waiting.op));
      }
      const left = new Set<string>();
      for (const space of changed.keys()) if (await hasLeft(tx, space)) left.add(space);
      await noteSent(tx, judged);
      await eachOf(judged, (each) =>
        each.shown && !left.has(each.waiting.space)
          ? takeVerdict(tx, each, restamped[each.verdict.op], now)
          : dropJudged(tx, each),
      );
      if (counted) await dropKeys(tx);
      if (Object.keys(restamped).length > 0) await comeBack(tx, Object.values(restamped));
      for (const space of changed.keys()) {
        // A pull may have brought some of them back already.
        const stored = await tx.objectStore('space').get(space);
        if (stored?.cursor) await settleUpTo(tx, stored, now);
      }
      let lost = false;
      for (const [space, ranges] of Object.entries(missing ?? {})) {
        counted = true;
        if (await sendAgain(tx, space, ranges)) changed.set(space, changed.get(space) ?? []);
        lost = (await noteLost(tx, space, ranges)) || lost;
      }
      return { changed, counted, retryMs, lost };
    });
  }

  /** See `noteUnread`. */
  noteUnread(
    unit: readonly Waiting[],
    how: { app: string; now: number; others: boolean },
  ): Promise<void> {
    return this.#db.write(['outbox'], (tx) => noteUnread(tx, unit, how));
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
      for (const { n, seq } of await outbox.getAll(keysOf(space))) {
        if (seq !== null) await outbox.delete([space, n]);
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
          // Who wrote it is told, even now.
          .map((each) => tx.objectStore('refused').put(bared(each))),
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
  await eachOf(rows, ([coll, rec, seq, doc, clk]) => base.put({ space, coll, rec, seq, doc, clk }));
  const at = { ...stored, cursor, partial: more };
  await tx.objectStore('space').put(at);
  await advance(tx, rows, now);
  await settleUpTo(tx, at, now);
  // A place beyond all there is belongs to a history that is no more: the server says anew where it is.
  if (asked === '') await askAgain(tx, space);
  return true;
}

/** Changes of collections that the server does not know yet, and what stands or falls with them: it would refuse them for
 *  good. They wait until it has been renewed. `colls` undefined: it has not said what it knows. */
function tooEarly(all: readonly Waiting[], colls: readonly string[] | undefined): Set<Waiting> {
  if (colls === undefined) return new Set();
  const unknown = all.filter(({ op }) => !colls.includes(op.coll));
  const groups = new Set(unknown.map(({ op }) => op.g));
  return new Set(
    all.filter(
      (each) => unknown.includes(each) || (each.op.g !== undefined && groups.has(each.op.g)),
    ),
  );
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

/** Our clock was ahead, and the server has put `stamps` in the place of what it said: it goes on from there, later than
 *  everything we have seen and than what still waits to be sent. */
async function comeBack(tx: Tx, stamps: readonly string[]): Promise<void> {
  const seen = (await tx.objectStore('base').getAll()).flatMap(({ clk }) => Object.values(clk));
  const own = (await tx.objectStore('outbox').getAll()).map(({ op }) => op.hlc);
  const latest = [...stamps, ...seen, ...own].reduce((a, b) => (a > b ? a : b), NEVER);
  const meta = tx.objectStore('meta');
  if (latest < ((await meta.get('hlc')) as string)) await meta.put(latest, 'hlc');
}
