/** Who uses this device, on the disk: coming, leaving, and being away from the server for too long. */
import { STORES, type Database, type SessionKey, type Tx } from './database';
import type { Counted } from './mirror';
import { isOwn, type Author } from './store';
import type { Waiting } from './view';

const DAY_MS = 24 * 3600 * 1000;

/** From now on changes are those of `account`, in the session whose key this is, and go out. */
export function arrive(db: Database, account: string, key: SessionKey | null): Promise<void> {
  return db.write(['meta', 'keys', 'outbox'], async (tx) => {
    const meta = tx.objectStore('meta');
    const author: Author = { account, ...(key && { sid: key.sid }) };
    if (key !== null) await tx.objectStore('keys').put(key);
    await meta.put(author, 'author');
    await meta.put(false, 'own/held');
    await meta.delete('lease_over');
    const outbox = tx.objectStore('outbox');
    for (const waiting of await outbox.getAll()) {
      // An older app did not write down whose it was: it kept one person's changes only.
      if (waiting.by === undefined) await outbox.put({ ...waiting, by: account, sid: author.sid });
    }
    await dropKeys(tx);
  });
}

/** Whether all that waits of whoever is here could be sent as theirs after they left. */
export function canStay(db: Database): Promise<boolean> {
  return db.read(['meta', 'keys', 'outbox'], async (tx) => {
    const author = await tx.objectStore('meta').get('author');
    const own = (await tx.objectStore('outbox').getAll()).filter(({ by }) => isOwn(by, author));
    const sids = await tx.objectStore('keys').getAllKeys();
    return own.every((waiting) => waiting.seq !== null || isSigned(waiting, sids));
  });
}

/** Leave nothing of who used this device, but what `leaveUnsent` leaves to be sent. It stays the same device: its numbers
 *  and its clock go on. What others left here stays. */
export function leave(db: Database, { leaveUnsent }: { leaveUnsent: boolean }): Promise<void> {
  return db.write(STORES, async (tx) => {
    const author = await tx.objectStore('meta').get('author');
    const sids = await tx.objectStore('keys').getAllKeys();
    const stays = (waiting: Waiting): boolean =>
      !isOwn(waiting.by, author) || (leaveUnsent && isSigned(waiting, sids));
    await keepOnly(tx, (waiting) => waiting.seq === null && !waiting.parked && stays(waiting));
    await tx.objectStore('meta').delete('author');
    await tx.objectStore('meta').delete('broken');
    await dropKeys(tx);
  });
}

/** Too long without the server: nothing that was fetched may be seen here any more. What was not sent stays for whoever
 *  wrote it. */
export function endLease(db: Database): Promise<void> {
  return db.write(STORES, async (tx) => {
    await keepOnly(tx, ({ seq }) => seq === null);
    await tx.objectStore('meta').put(true, 'lease_over');
  });
}

/** Note how late it is, at least `passed` ms later than the last time: a clock that is set back stops no lease. True when
 *  the lease is over. */
export function noteTime(db: Database, now: number, passed: number): Promise<boolean> {
  return db.write(['meta'], async (tx) => {
    const meta = tx.objectStore('meta');
    const [seen, skew, lease] = (await Promise.all(
      ['seen', 'skew', 'own/lease'].map((key) => meta.get(key)),
    )) as [number?, number?, string?];
    const time = Math.max(now + (skew ?? 0), (seen ?? 0) + passed);
    await meta.put(time, 'seen');
    return time > Date.parse(lease ?? '');
  });
}

/** What the status counts. `now` in ms. */
export function count(db: Database, now: number): Promise<Counted> {
  return db.read(['meta', 'outbox', 'refused'], async (tx) => {
    const meta = tx.objectStore('meta');
    const [author, lost, leaseOver, broken] = (await Promise.all(
      ['author', 'lost', 'lease_over', 'broken'].map((key) => meta.get(key)),
    )) as [Author?, number?, true?, number?];
    const waiting = await tx.objectStore('outbox').getAll();
    const refused = await tx.objectStore('refused').getAll();
    const others = waiting.filter(({ by, seq }) => seq === null && !isOwn(by, author));
    const isBroken = broken !== undefined && now - broken < DAY_MS;
    return {
      refused: refused.sort((a, b) => a.at - b.at),
      lost: lost ?? 0,
      others: others.length,
      trouble: leaseOver ? 'lease_over' : isBroken ? 'storage_broken' : null,
    };
  });
}

/** The device is full. What the server has had for a while is the first thing to give up, and what can be fetched again. */
export function makeRoom(db: Database): Promise<void> {
  return db.write(['acked', 'staged'], async (tx) => {
    await tx.objectStore('acked').clear();
    await tx.objectStore('staged').clear();
  });
}

/** Keys of sessions of which nothing waits, but for the present one's, are of no use. */
export async function dropKeys(tx: Tx): Promise<void> {
  const author = (await tx.objectStore('meta').get('author')) as Author | undefined;
  const needed = new Set((await tx.objectStore('outbox').getAll()).map(({ sid }) => sid));
  const keys = tx.objectStore('keys');
  for (const sid of await keys.getAllKeys()) {
    if (sid !== author?.sid && !needed.has(sid)) await keys.delete(sid);
  }
}

async function keepOnly(tx: Tx, stays: (waiting: Waiting) => boolean): Promise<void> {
  const outbox = tx.objectStore('outbox');
  for (const waiting of await outbox.getAll()) {
    if (!stays(waiting)) await outbox.delete([waiting.space, waiting.n]);
  }
  await Promise.all([
    tx.objectStore('meta').delete(IDBKeyRange.bound('own/', 'own/\uffff')),
    ...(['space', 'base', 'acked', 'refused', 'staged'] as const).map((name) =>
      tx.objectStore(name).clear(),
    ),
  ]);
}

function isSigned({ sid, parked }: Waiting, sids: readonly string[]): boolean {
  return !parked && sid !== undefined && sids.includes(sid);
}
