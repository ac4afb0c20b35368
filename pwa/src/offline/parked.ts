/** Changes that the server cannot even read. They stop nobody, are told to their author, and are tried again: the fault may be
 *  the server's, a proxy's or this app's, and each of them may be put right. In the transaction of whoever asks. */
import type { Tx } from './database';
import { bared, noteRead, written } from './life';
import type { Refused } from './model';
import { recOf, type Waiting } from './view';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What stands in the place of a code of the server's. */
const PARKED = 'parked';

/** Whether it may be sent now, in ms: what was unreadable is tried with patience, once a day where it is put aside, and at
 *  once by another version of the app. */
export function isDue({ parked, unread }: Waiting, now: number, app: string): boolean {
  if (unread === undefined || unread.app !== app) return true;
  const { since, at } = unread;
  const patience = parked ? DAY_MS : Math.min(HOUR_MS, Math.max(MINUTE_MS / 2, at - since));
  // A clock that was set back must not make it wait.
  return now < at || now >= at + patience;
}

/** Those that the server may be unable to read stand last, the one that was tried least lately first. */
export function suspectsLast<W extends Waiting>(waiting: readonly W[]): W[] {
  return [...waiting].sort((a, b) => triedAt(a) - triedAt(b));
}

/** A change, or those of a group, that nobody could read alone. `others`: the server reads others. Where it does not, nothing is
 *  said against these, for a day. `now` in ms. */
export async function noteUnread(
  tx: Tx,
  unit: readonly Waiting[],
  { app, now, others }: { app: string; now: number; others: boolean },
): Promise<void> {
  const outbox = tx.objectStore('outbox');
  for (const { space, n } of unit) {
    const waiting = await outbox.get([space, n]);
    // Another tab has its verdict.
    if (waiting?.seq !== null) continue;
    const since = waiting.unread?.since ?? now;
    const parked = waiting.parked || others || now - since >= DAY_MS;
    await outbox.put({ ...waiting, parked, unread: { ...waiting.unread, since, at: now, app } });
  }
}

/** As its author is told of it, or null: they have read it, or nothing speaks against it. `here`: its space is on this
 *  device. */
export function toldOf({ op, space, at, parked, unread }: Waiting, here: boolean): Refused | null {
  if (!parked || unread?.read) return null;
  const what = written(op);
  const refused = { op: op.op, space, coll: op.coll, rec: recOf(op), what, code: PARKED, at };
  return here ? refused : bared(refused);
}

/** Its author has read that it was refused. What is put aside is tried all the same. */
export async function readRefused(tx: Tx, op: string): Promise<void> {
  const outbox = tx.objectStore('outbox');
  const waiting = await outbox.index('op').get(op);
  if (waiting === undefined) return noteRead(tx, op);
  const { since, at, app } = waiting.unread ?? { since: 0, at: 0, app: '' };
  await outbox.put({ ...waiting, unread: { since, at, app, read: true } });
}

/** The same with no half of a sign in its texts, as an emoji cut in the middle leaves it: no server can read those. Done where
 *  it is sent, and not where it is written: what was put aside for it goes out too. */
export function wellFormed<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === 'string' ? each.replace(/[\ud800-\udfff]/gu, '\ufffd') : each,
    ),
  ) as T;
}

function triedAt({ unread }: Waiting): number {
  return unread?.at ?? 0;
}
