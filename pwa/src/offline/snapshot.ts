/** All of a space as a stream: what has arrived is kept beside the space, survives a cut, and takes its place in one
 *  transaction when it is whole. */
import { keysOf, STORES, type Database, type Staged } from './database';
import { eachOf } from './each';
import { takeRows } from './intake';
import { SyncError, type Network, type SnapshotHead, type WireRow } from './protocol';
import { fingerprint } from './view';

const BATCH = 500;

/** Fetch a space whose cursor is `""`. False when somebody else of this device is at it. Fails with a `SyncError`:
 *  `no_snapshot` when there is none to be had, now or here, and paging is the way; else it goes on the next time. */
export async function fetchSnapshot(
  db: Database,
  network: Network,
  space: string,
  path: string,
  now: number,
): Promise<boolean> {
  let place = await placeOf(db, space);
  const resumed = place !== null;
  let head: SnapshotHead | null = null;
  let rows: WireRow[] = [];
  const keep = async (): Promise<boolean> => {
    if (place === null) return false;
    const next: Place = { ...place, after: rows.at(-1)?.[1] ?? place.after };
    const kept = await stage(db, space, place, next, rows);
    place = next;
    rows = [];
    return kept;
  };
  try {
    for await (const line of network.snapshot(path, place)) {
      if (Array.isArray(line)) {
        rows.push(line as unknown as WireRow);
        if (rows.length >= BATCH && !(await keep())) return false;
      } else if (isHead(line)) {
        head = line;
        if (place === null) place = await begin(db, space, line);
        else if (line.epoch !== place.epoch) throw new SyncError('stale_snapshot');
      } else if (isEnd(line)) {
        if (!(await keep())) return false;
        return await flip(db, space, place, resumed ? null : head, now);
      }
    }
  } catch (error) {
    if (error instanceof SyncError && error.kind === 'offline') await keep();
    if (error instanceof SyncError && error.kind === 'stale_snapshot') await drop(db, space);
    throw error;
  }
  // The stream ended early.
  await keep();
  throw new SyncError('offline');
}

type Place = NonNullable<Staged['place']>;

/** Spaces of which a part has come. */
export async function begun(db: Database): Promise<string[]> {
  const keys = await db.read(['staged'], (tx) => tx.objectStore('staged').getAllKeys());
  return keys.filter(([, rec]) => rec === '').map(([space]) => space);
}

async function placeOf(db: Database, space: string): Promise<Place | null> {
  const row = await db.read(['staged'], (tx) => tx.objectStore('staged').get([space, '']));
  return row?.place ?? null;
}

function begin(db: Database, space: string, { epoch, seq, tag }: SnapshotHead): Promise<Place> {
  return db.write(['staged'], async (tx) => {
    const place: Place = { epoch, at: seq, tag, after: '' };
    await tx.objectStore('staged').delete(keysOf(space));
    await tx.objectStore('staged').put({ space, rec: '', place });
    return place;
  });
}

/** False when the place is no longer `before`: another tab began anew, or the space is gone. */
function stage(
  db: Database,
  space: string,
  before: Place,
  next: Place,
  rows: readonly WireRow[],
): Promise<boolean> {
  return db.write(['staged'], async (tx) => {
    const staged = tx.objectStore('staged');
    const { place } = (await staged.get([space, ''])) ?? {};
    if (place?.at !== before.at || place.after !== before.after) return false;
    await eachOf(rows, (row) => staged.put({ space, rec: row[1], row }));
    await staged.put({ space, rec: '', place: next });
    return true;
  });
}

/** `head`: what it says has to be what has come; null when the snapshot came in pieces, between which things moved. */
async function flip(
  db: Database,
  space: string,
  place: Place | null,
  head: SnapshotHead | null,
  now: number,
): Promise<boolean> {
  const end = await db.write(STORES, async (tx) => {
    const staged = await tx.objectStore('staged').getAll(keysOf(space));
    const rows = staged.flatMap(({ row }) => (row === undefined ? [] : [row]));
    await tx.objectStore('staged').delete(keysOf(space));
    if (place === null || (head !== null && !agrees(head, rows))) return 'wrong';
    const cursor = `${place.epoch}.${place.at}.${place.tag}`;
    return takeRows(tx, space, '', rows, cursor, now);
  });
  if (end === 'wrong') throw new SyncError('no_snapshot');
  return end;
}

function drop(db: Database, space: string): Promise<unknown> {
  return db.write(['staged'], (tx) => tx.objectStore('staged').delete(keysOf(space)));
}

function agrees(head: SnapshotHead, rows: readonly WireRow[]): boolean {
  // What changed while it was read came as it was by then; the next pull compares.
  if (rows.some(([, , seq]) => seq > head.seq)) return true;
  const { n, sum, sq } = fingerprint(rows.map(([, , seq, doc]) => ({ seq, doc })));
  return n === head.n && sum === head.sum && sq === head.sq;
}

function isHead(line: unknown): line is SnapshotHead {
  return typeof line === 'object' && line !== null && 'epoch' in line;
}

function isEnd(line: unknown): boolean {
  return typeof line === 'object' && line !== null && 'end' in line;
}
