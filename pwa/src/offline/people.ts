/** Who uses this device, on the disk: coming, leaving, and being away from the server for too long. */
import { STORES, type Database, type SessionKey, type Tx } from './database';
import { bared } from './life';
import type { Counted } from './mirror';
import { toldOf } from './parked';
import type { Network } from './protocol';
import { isHere, isOwn, isShown, type Author } from './store';
import type { Waiting } from './view';

const DAY_MS = 24 * 3600 * 1000;
/** What `noteTime` goes by. */
const TIME = ['seen', 'skew', 'own/lease'];

/** From now on changes are those of `account`, in the session whose key this is, and go out. False, and nothing has
 *  changed, when with `still` they are not here any more. */
export function arrive(
  db: Database,
  account: string,
  key: SessionKey | null,
  still = false,
): Promise<boolean> {
  return db.write(['meta', 'keys', 'outbox', 'acked'], async (tx) => {
    const meta = tx.objectStore('meta');
    if (still && !(await isHere(tx, account))) return false;
    const author: Author = { account, ...(key && { sid: key.sid }) };
    if (key !== null) await tx.objectStore('keys').put(key);
    await meta.put(author, 'author');
    await meta.put(false, 'own/held');
    for (const over of ['lease_over', 'signing_out', 'emptied']) await meta.delete(over);
    const outbox = tx.objectStore('outbox');
    for (const waiting of await outbox.getAll()) {
      // An older app did not write down whose it was: it kept one person's changes only.
      if (waiting.by === undefined) await outbox.put({ ...waiting, by: account, sid: author.sid });
    }
    await dropKeys(tx);
    return true;
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

/** A session that somebody has left, and the server is still to end. */
export interface SigningOut {
  /** Null: whichever is open. */
  readonly sid: string | null;
}

/** How somebody leaves. `ends`: the session that is to be ended with it, as soon as the server can be told. */
export interface Leaving {
  readonly leaveUnsent: boolean;
  readonly ends?: SigningOut | undefined;
}

/** Leave nothing of who used this device, but what `leaveUnsent` leaves to be sent. It stays the same device: its numbers
 *  and its clock go on. What others left here stays. */
export function leave(db: Database, { leaveUnsent, ends }: Leaving): Promise<void> {
  return db.write(STORES, async (tx) => {
    if (ends !== undefined) await tx.objectStore('meta').put(ends, 'signing_out');
    const author = await tx.objectStore('meta').get('author');
    const sids = await tx.objectStore('keys').getAllKeys();
    const stays = (waiting: Waiting): boolean =>
      !isOwn(waiting.by, author) || (leaveUnsent && isSigned(waiting, sids));
    await keepOnly(tx, (waiting) => waiting.seq === null && stays(waiting));
    await tx.objectStore('meta').delete('author');
    await tx.objectStore('meta').delete('broken');
    await dropKeys(tx);
  });
}

/** End the session that somebody left without a network. Fails with a `SyncError` while the server cannot be told. */
export async function signOut(db: Database, network: Pick<Network, 'end'>): Promise<void> {
  const waits = await signingOut(db);
  if (waits === undefined) return;
  await network.end(waits.sid);
  await db.write(['meta'], async (tx) => {
    const meta = tx.objectStore('meta');
    const still = (await meta.get('signing_out')) as SigningOut | undefined;
    // Somebody came and went meanwhile.
    if (still?.sid === waits.sid) await meta.delete('signing_out');
  });
}

export function signingOut(db: Database): Promise<SigningOut | undefined> {
  return db.read(['meta'], (tx) => tx.objectStore('meta').get('signing_out')) as Promise<
    SigningOut | undefined
  >;
}

/** Too long without the server: nothing that was fetched may be seen here any more. What was not sent stays for whoever
 *  wrote it. */
export function endLease(db: Database): Promise<void> {
  return db.write(STORES, async (tx) => {
    const refused = await tx.objectStore('refused').getAll();
    await keepOnly(tx, ({ seq }) => seq === null);
    // Who wrote it is told when they are back.
    await Promise.all(refused.map((each) => tx.objectStore('refused').put(bared(each))));
    await tx.objectStore('meta').put(true, 'lease_over');
  });
}

/** Note how late it is, at least `passed` ms later than the last time: a clock that is set back stops no lease. True when
 *  the lease is over. */
export function noteTime(db: Database, now: number, passed: number): Promise<boolean> {
  return db.write(['meta'], async (tx) => {
    const meta = tx.objectStore('meta');
    const [seen, skew, lease] = (await Promise.all(TIME.map((key) => meta.get(key)))) as [
      number?,
      number?,
      string?,
    ];
    const time = Math.max(now + (skew ?? 0), (seen ?? 0) + passed);
    await meta.put(time, 'seen');
    return time > Date.parse(lease ?? '');
  });
}

/** What the status counts. `now` in ms. */
export function count(db: Database, now: number): Promise<Counted> {
  return db.read(['meta', 'space', 'outbox', 'refused'], async (tx) => {
    const meta = tx.objectStore('meta');
    const [author, lost, leaseOver, broken, ends, emptied] = (await Promise.all(
      ['author', 'lost', 'lease_over', 'broken', 'signing_out', 'emptied'].map((key) =>
        meta.get(key),
      ),
    )) as [Author?, number?, true?, number?, SigningOut?, number?];
    const time: (readonly [string, unknown])[] = [];
    for (const key of TIME) {
      const value = await meta.get(key);
      if (value !== undefined) time.push([key, value]);
    }
    const waiting = await tx.objectStore('outbox').getAll();
    const spaces = await tx.objectStore('space').getAllKeys();
    // Past its lease the device shows nobody what is theirs.
    const isTheirs = (each: Waiting): boolean => leaseOver === true || !isShown(each, author);
    const others = waiting.filter((each) => each.seq === null && isTheirs(each));
    const aside = waiting
      .filter((each) => !isTheirs(each))
      .map((each) => toldOf(each, spaces.includes(each.space)))
      .filter((each) => each !== null);
    const refused = [...(await tx.objectStore('refused').getAll()), ...aside];
    const isBroken = broken !== undefined && now - broken < DAY_MS;
    return {
      refused: refused.sort((a, b) => a.at - b.at),
      lost: lost ?? 0,
      others: others.length,
      trouble: leaseOver ? 'lease_over' : isBroken ? 'storage_broken' : null,
      left: ends ? 'signing_out' : emptied !== undefined ? 'emptied' : null,
      time,
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

/** Keys of sessions of which nothing waits, but for the present one's, are of no use. What was signed beside whoever is here
 *  may have to be sent again. */
export async function dropKeys(tx: Tx): Promise<void> {
  const author = (await tx.objectStore('meta').get('author')) as Author | undefined;
  const beside = (await tx.objectStore('acked').getAll()).filter((each) => each.beside);
  const waiting = await tx.objectStore('outbox').getAll();
  const needed = new Set([...waiting, ...beside].map(({ sid }) => sid));
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

function isSigned({ sid }: Waiting, sids: readonly string[]): boolean {
  return sid !== undefined && sids.includes(sid);
}
