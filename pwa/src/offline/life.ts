/** What becomes of a change when the server has answered: it stays on top, lies in the ring, is refused, is sent again, or is
 *  lost. In the transaction of whoever asks. */
import { keysOf, type Acked, type StoredSpace, type Tx } from './database';
import { eachOf } from './each';
import type { Json, Refused } from './model';
import { seqOf, type Op, type Ranges, type ToldRefusal, type Verdict } from './protocol';
import { includes, size, without } from './ranges';
import { recOf, type Waiting } from './view';

/** What stands in the place of a code of the server's beside a decision that the server has lost. */
const UNDONE = 'undone';

type Final = Exclude<Verdict, { s: 'retry' }>;

/** A change, and what the server said of it. */
export interface Judged {
  readonly waiting: Waiting;
  readonly verdict: Final;
  /** It is that of whoever uses this device now. */
  readonly own: boolean;
  /** They see it: it is theirs, or somebody signed it beside them. */
  readonly shown: boolean;
}

/** The space was taken from us: what the server says of its last changes leaves nothing of them here. */
export async function hasLeft(tx: Tx, space: string): Promise<boolean> {
  if ((await tx.objectStore('space').get(space)) !== undefined) return false;
  return (((await tx.objectStore('meta').get('purged')) as string[] | undefined) ?? []).includes(
    space,
  );
}

/** The highest number of each space that has a verdict. */
export async function noteSent(tx: Tx, judged: readonly Judged[]): Promise<void> {
  const meta = tx.objectStore('meta');
  const highest = new Map<string, number>();
  for (const { waiting } of judged) {
    const { space, n } = waiting;
    highest.set(space, Math.max(highest.get(space) ?? 0, n));
  }
  for (const [space, n] of highest) {
    const before = ((await meta.get(`sent/${space}`)) as number | undefined) ?? 0;
    if (n > before) await meta.put(n, `sent/${space}`);
  }
}

export async function takeVerdict(
  tx: Tx,
  { waiting, verdict, own }: Judged,
  restamped: string | undefined,
  now: number,
): Promise<void> {
  const op: Op = restamped === undefined ? waiting.op : { ...waiting.op, hlc: restamped };
  const seq =
    verdict.s === 'stale_resolve' ? undefined : 'seq' in verdict ? verdict.seq : undefined;
  if (seq !== undefined) {
    const { unread: _, ...read } = waiting;
    const at = seq + after(op, verdict);
    await tx.objectStore('outbox').put({ ...read, op, seq: at, parked: false });
    return;
  }
  await Promise.all([
    tx.objectStore('outbox').delete([waiting.space, waiting.n]),
    // Whoever signed it beside somebody else is told of it where they sign in.
    own && noteRefused(tx, waiting, verdict),
    // Erased: not to be kept anywhere.
    verdict.s !== 'gone' && keepInRing(tx, { ...waiting, op }, now),
  ]);
}

/** Why a change is listed as one that was refused; null: it is not. A decision that came too late is no fault of anybody's,
 *  but whoever made it has to hear what holds instead. Of one that held until the server lost it what was chosen between may
 *  not all come back, and then no conflict on the screen would ask for it again. */
export function refusalOf({ again }: Waiting, verdict: Final): string | null {
  if (verdict.s === 'gone') return 'erased';
  if ('code' in verdict) return verdict.code;
  if (verdict.s !== 'stale_resolve') return null;
  return again === true ? UNDONE : verdict.s;
}

/** What a proposal makes of the conflict it meets has the place after its own. */
function after(op: Op, verdict: Verdict): number {
  const conflict = verdict.s === 'conflict' || (verdict.s === 'dup' && verdict.was === 'conflict');
  return conflict || op.k === 'resolve' ? 1 : 0;
}

/** Whose space was taken before the verdict came is told of it all the same. */
export async function dropJudged(tx: Tx, { waiting, verdict, own }: Judged): Promise<void> {
  await Promise.all([
    // What somebody left here, or had to leave, is gone as soon as the server has judged it.
    tx.objectStore('outbox').delete([waiting.space, waiting.n]),
    own && noteRefused(tx, waiting, verdict, { bare: true }),
  ]);
}

async function noteRefused(
  tx: Tx,
  waiting: Waiting,
  verdict: Final,
  { bare = false } = {},
): Promise<void> {
  const { op, space, at } = waiting;
  const code = refusalOf(waiting, verdict);
  if (code === null) return;
  // What came too late never held, however often it is sent.
  if (code === UNDONE && (await tx.objectStore('refused').get(op.op)) !== undefined) return;
  const known = { op: op.op, space, coll: op.coll, rec: recOf(op), what: written(op), at, code };
  const refused: Refused =
    verdict.s === 'gone'
      ? bared(known)
      : { ...known, ...('code' in verdict && { verdict: verdict.s }) };
  await tx.objectStore('refused').put(bare ? bared(refused) : refused);
}

/** Where it is noted what the server has not been told that its author has read. */
const READ = 'own/read';

/** The refused changes that their author has read, and the server has not heard of. */
export async function readOf(tx: Tx): Promise<readonly string[]> {
  return ((await tx.objectStore('meta').get(READ)) as string[] | undefined) ?? [];
}

export async function noteRead(tx: Tx, op: string): Promise<void> {
  await Promise.all([
    tx.objectStore('refused').delete(op),
    tx.objectStore('meta').put([...(await readOf(tx)), op], READ),
  ]);
}

/** The server tells its author of every refused change, here and elsewhere, but of those in `read`, of which it has just
 *  heard. What it has told before and does not tell now was read on another device. */
export async function takeRefused(
  tx: Tx,
  told: readonly ToldRefusal[],
  read: readonly string[],
): Promise<void> {
  const store = tx.objectStore('refused');
  const meanwhile = (await readOf(tx)).filter((op) => !read.includes(op));
  await tx.objectStore('meta').put(meanwhile, READ);
  const here = new Map((await store.getAll()).map((each) => [each.op, each]));
  for (const each of told) {
    const known = here.get(each.op);
    here.delete(each.op);
    if (meanwhile.includes(each.op)) continue;
    const isKnown = known !== undefined && (known.bare !== true || each.bare === true);
    await store.put({ ...(isKnown ? known : refusedOf(each)), kept: true });
  }
  for (const { op, kept } of here.values()) if (kept) await store.delete(op);
}

function refusedOf({ op, space, coll, rec, what, code, verdict, at, bare }: ToldRefusal): Refused {
  const refused: Refused = {
    ...{ op, space, coll, rec: rec ?? op, code },
    what: isGroups(what) ? what : {},
    ...((verdict === 'invalid' || verdict === 'forbidden') && { verdict }),
    at: Date.parse(at),
  };
  return bare ? bared(refused) : refused;
}

function isGroups(what: Json): what is Readonly<Record<string, Json>> {
  return typeof what === 'object' && what !== null && !Array.isArray(what);
}

/** What may stay of a refused change when its space goes: which kind it was, when, and why. */
export function bared(refused: Refused): Refused {
  return { ...refused, rec: '', what: {}, bare: true };
}

/** What its author wrote in a change. */
export function written(op: Op): Readonly<Record<string, Json>> {
  if (op.k === 'set') return op.f;
  if (op.k === 'event') return { v: op.v };
  if (op.k === 'safety') return { v: op.v, base: op.base };
  const { choose, why, base, seen } = op;
  return { choose, why, base, seen };
}

function keepInRing(tx: Tx, waiting: Waiting, now: number): Promise<unknown> {
  const { space, n, op, at, by, sid, beside } = waiting;
  const whose = { ...(by && { by }), ...(sid && { sid }), ...(beside && { beside }) };
  const acked: Acked = { space, n, op, at, ackedAt: now, ...whose };
  return tx.objectStore('acked').put(acked);
}

/** Changes that a pull has brought back lie in the ring from now on. A page may lack a record that has moved past it: only
 *  the last one settles. */
export async function settleUpTo(
  tx: Tx,
  { id: space, cursor, partial }: StoredSpace,
  now: number,
): Promise<void> {
  if (partial) return;
  const upTo = seqOf(cursor);
  const outbox = tx.objectStore('outbox');
  const back = (await outbox.getAll(keysOf(space))).filter(
    ({ seq }) => seq !== null && seq <= upTo,
  );
  await eachOf(back, (waiting) =>
    Promise.all([outbox.delete([space, waiting.n]), keepInRing(tx, waiting, now)]),
  );
}

export async function askAgain(tx: Tx, space: string): Promise<void> {
  const outbox = tx.objectStore('outbox');
  const answered = (await outbox.getAll(keysOf(space))).filter(({ seq }) => seq !== null);
  await eachOf(answered, (waiting) => outbox.put({ ...waiting, seq: null }));
}

/** The server does not have these numbers: what we still have of them waits to be sent again. What is kept of a number that
 *  another tab or the service worker sent after the server was asked stays as it is: see `Intake.greet`. */
export async function sendAgain(tx: Tx, space: string, numbers: Ranges): Promise<boolean> {
  if (numbers.length === 0) return false;
  const outbox = tx.objectStore('outbox');
  const ring = tx.objectStore('acked');
  const answered = (await outbox.getAll(keysOf(space))).filter(
    ({ seq, n }) => seq !== null && includes(numbers, n),
  );
  const acked = (await ring.getAll(keysOf(space))).filter(({ n }) => includes(numbers, n));
  await eachOf(answered, (waiting) => outbox.put({ ...waiting, seq: null, again: true }));
  await eachOf(acked, ({ ackedAt: _, ...each }) =>
    Promise.all([
      outbox.put({ ...each, seq: null, parked: false, again: true }),
      ring.delete([space, each.n]),
    ]),
  );
  return answered.length + acked.length > 0;
}

/** Note which of the numbers that the server misses are not here, on their way or answered. True when that is news, for the next hello. */
export async function noteLost(tx: Tx, space: string, missing: Ranges): Promise<boolean> {
  const meta = tx.objectStore('meta');
  const stores = ['outbox', 'acked'] as const;
  const held = await Promise.all(stores.map((of) => tx.objectStore(of).getAllKeys(keysOf(space))));
  const here = held.flat().map(([, n]) => [n, n] as const);
  const lost = without(missing, here);
  const key = `lost/${space}`;
  const before = ((await meta.get(key)) as Ranges | undefined) ?? [];
  // It lies here again: a copy of this device, or another tab, had it.
  await countLost(tx, size(without(before, here)) - size(before));
  if (lost.length === 0) {
    if (before.length > 0) await meta.delete(key);
    return false;
  }
  const fresh = without(lost, before);
  await meta.put(lost, key);
  await countLost(tx, size(fresh));
  return fresh.length > 0;
}

/** Count what is lost here, and has not been read by anybody. */
export async function countLost(tx: Tx, more: number): Promise<void> {
  const meta = tx.objectStore('meta');
  const before = ((await meta.get('lost')) as number | undefined) ?? 0;
  if (more !== 0) await meta.put(Math.max(0, before + more), 'lost');
}
