/** What the server answers, put on the disk. With store.ts it keeps what is written there; never talks to the server. */
import { keysOf, STORES, type Acked, type Database, type Tx } from './database';
import { NEVER, receive } from './hlc';
import {
  seqOf,
  type Grant,
  type HelloAnswer,
  type Op,
  type Verdict,
  type WireRow,
} from './protocol';
import type { Identity } from './store';
import { recOf, type Waiting } from './view';

const RING_MS = 14 * 24 * 3600 * 1000;

export interface Settled {
  /** Records whose look may have changed, by space. */
  readonly changed: ReadonlyMap<string, string[]>;
  readonly refused: number;
  /** The longest wait the server asked for, ms. */
  readonly retryMs: number | null;
}

export class Intake {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  // ── what is to be sent

  /** Changes the server has not answered, in the order they were made within each space. */
  async unsent(): Promise<Waiting[]> {
    const waiting = await this.#db.read(['outbox'], (tx) => tx.objectStore('outbox').getAll());
    return waiting.filter(({ seq, parked }) => seq === null && !parked);
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

  // ── the server answers

  /** Take in the answer to hello. Returns the spaces in which changes have to be sent again. */
  greet(answer: HelloAnswer, skewMs: number, now: number): Promise<string[]> {
    return this.#db.write(STORES, async (tx) => {
      const meta = tx.objectStore('meta');
      await Promise.all([
        meta.put(skewMs, 'skew'),
        meta.put(answer.lease_until, 'own/lease'),
        forgetOld(tx, now),
      ]);
      for (const grant of answer.spaces) await admit(tx, grant);
      const again: string[] = [];
      for (const [space, acked] of Object.entries(answer.acked)) {
        // A device restored from an old copy must not give a number twice.
        const n = ((await meta.get(`n/${space}`)) as number | undefined) ?? 0;
        if (acked > n) await meta.put(acked, `n/${space}`);
        const sent = ((await meta.get(`sent/${space}`)) as number | undefined) ?? 0;
        if (acked < sent && (await sendAgain(tx, space, acked))) again.push(space);
      }
      return again;
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

  /** Take in the verdicts of a push. */
  settle(
    verdicts: readonly Verdict[],
    restamped: Readonly<Record<string, string>>,
    now: number,
  ): Promise<Settled> {
    return this.#db.write(['meta', 'space', 'outbox', 'acked'], async (tx) => {
      const changed = new Map<string, string[]>();
      let refused = 0;
      let retryMs: number | null = null;
      for (const verdict of verdicts) {
        const key = await tx.objectStore('outbox').index('op').getKey(verdict.op);
        const waiting = key && (await tx.objectStore('outbox').get(key));
        // Another tab, or the service worker, took the same answer in before.
        if (waiting === undefined) continue;
        if (verdict.s === 'retry') {
          retryMs = Math.max(retryMs ?? 0, verdict.after_ms);
          continue;
        }
        if (verdict.s === 'invalid' || verdict.s === 'forbidden' || verdict.s === 'gone')
          refused += 1;
        await takeVerdict(tx, waiting, verdict, restamped[verdict.op]);
        changed.set(waiting.space, [...(changed.get(waiting.space) ?? []), recOf(waiting.op)]);
      }
      for (const space of changed.keys()) {
        // A pull may have brought some of them back already.
        const cursor = (await tx.objectStore('space').get(space))?.cursor ?? '';
        if (cursor !== '') await archive(tx, space, seqOf(cursor), now);
      }
      return { changed, refused, retryMs };
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

  /** Rows after the cursor `asked`, and the cursor they lead to. From `""` they replace the whole space.
   *  False when the space's cursor is no longer `asked`: somebody else was faster. */
  take(
    space: string,
    asked: string,
    rows: readonly WireRow[],
    cursor: string,
    now: number,
  ): Promise<boolean> {
    return this.#db.write(STORES, async (tx) => {
      const stored = await tx.objectStore('space').get(space);
      if (stored?.cursor !== asked) return false;
      const base = tx.objectStore('base');
      if (asked === '') await base.delete(keysOf(space));
      await Promise.all(
        rows.map(([coll, rec, seq, doc, clk]) => base.put({ space, coll, rec, seq, doc, clk })),
      );
      await tx.objectStore('space').put({ ...stored, cursor });
      await advance(tx, rows, now);
      await archive(tx, space, asked === '' ? Infinity : seqOf(cursor), now);
      return true;
    });
  }

  /** Ask for everything of a space the next time; what is here stays visible until then. */
  distrust(space: string): Promise<void> {
    return this.#db.write(['space'], async (tx) => {
      const stored = await tx.objectStore('space').get(space);
      if (stored !== undefined) await tx.objectStore('space').put({ ...stored, cursor: '' });
    });
  }

  /** Leave nothing of a space on the device. */
  purge(space: string): Promise<void> {
    return this.#db.write(STORES, async (tx) => {
      await Promise.all([
        tx.objectStore('space').delete(space),
        tx.objectStore('base').delete(keysOf(space)),
        tx.objectStore('outbox').delete(keysOf(space)),
        tx.objectStore('acked').delete(keysOf(space)),
      ]);
    });
  }
}

type Writing = Tx<'readwrite'>;

async function admit(tx: Writing, { id, role, permissions }: Grant): Promise<void> {
  const spaces = tx.objectStore('space');
  const cursor = (await spaces.get(id))?.cursor ?? '';
  await spaces.put({ id, role, permissions, cursor });
}

async function takeVerdict(
  tx: Writing,
  waiting: Waiting,
  verdict: Exclude<Verdict, { s: 'retry' }>,
  restamped: string | undefined,
): Promise<void> {
  const { space, n } = waiting;
  const meta = tx.objectStore('meta');
  const before = ((await meta.get(`sent/${space}`)) as number | undefined) ?? 0;
  if (n > before) await meta.put(n, `sent/${space}`);
  const seq = 'seq' in verdict ? verdict.seq : undefined;
  if (seq === undefined) {
    await tx.objectStore('outbox').delete([space, n]);
    return;
  }
  const op: Op = restamped === undefined ? waiting.op : { ...waiting.op, hlc: restamped };
  await tx.objectStore('outbox').put({ ...waiting, op, seq });
}

/** Changes that a pull up to `seq` has brought back lie in the ring from now on. */
async function archive(tx: Writing, space: string, upTo: number, now: number): Promise<void> {
  const outbox = tx.objectStore('outbox');
  for (const { n, op, at, seq } of await outbox.getAll(keysOf(space))) {
    if (seq === null || seq > upTo) continue;
    await outbox.delete([space, n]);
    await tx.objectStore('acked').put({ space, n, op, at, ackedAt: now } satisfies Acked);
  }
}

/** The server lost what came after `acked`: what we still have of it waits to be sent again. */
async function sendAgain(tx: Writing, space: string, acked: number): Promise<boolean> {
  const outbox = tx.objectStore('outbox');
  const lost = IDBKeyRange.bound([space, acked + 1], [space, []]);
  let any = false;
  for (const waiting of await outbox.getAll(lost)) {
    if (waiting.seq === null) continue;
    await outbox.put({ ...waiting, seq: null });
    any = true;
  }
  for (const { n, op, at } of await tx.objectStore('acked').getAll(lost)) {
    await outbox.put({ space, n, op, at, seq: null, parked: false });
    await tx.objectStore('acked').delete([space, n]);
    any = true;
  }
  await tx.objectStore('meta').put(acked, `sent/${space}`);
  return any;
}

async function forgetOld(tx: Writing, now: number): Promise<void> {
  const ring = tx.objectStore('acked');
  const old = await ring.index('ackedAt').getAllKeys(IDBKeyRange.upperBound(now - RING_MS));
  await Promise.all(old.map((key) => ring.delete(key)));
}

/** Our clock is later than everything we have seen. */
async function advance(tx: Writing, rows: readonly WireRow[], now: number): Promise<void> {
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
