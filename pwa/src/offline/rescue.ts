/** When the device's store cannot be read: save what nobody else has, and build the rest anew. */
import { ask, StorageFull, STORES, type SessionKey, type StoredSpace } from './database';
import { NEVER } from './hlc';
import { signing } from './keys';
import type { Mirror } from './mirror';
import { Evicted, type Author, type Store } from './store';
import type { BaseRow, Waiting } from './view';

/** Nothing can be kept on this device, or not by this app. */
export class NoStorage extends Error {
  override name = 'NoStorage';
  constructor(
    /** `none`: the browser keeps nothing here (a private window); `newer`: a newer app has been here, and what lies here is
     *  untouched; `broken`: it can neither be read nor made anew. */
    readonly why: 'none' | 'newer' | 'broken',
    options?: ErrorOptions,
  ) {
    super(`The device's store cannot be used: ${why}.`, options);
  }
}

interface Saved {
  /** Numbers, clock, identity, who uses it. Empty when not all could be read: the device is a new one then. */
  readonly meta: readonly (readonly [string, unknown])[];
  readonly outbox: readonly Waiting[];
  readonly keys: readonly SessionKey[];
  readonly spaces: readonly StoredSpace[];
  readonly base: readonly BaseRow[];
  /** Something that waited could not be read. */
  readonly lost: boolean;
}

/** The store failed with `error` at the start: build it anew around what was not sent. Fails with `NoStorage`, or with
 *  `StorageFull`. `now` in ms. */
export async function rescue(store: Store, error: unknown, now: number): Promise<void> {
  if (error instanceof StorageFull) throw error;
  if (
    typeof indexedDB === 'undefined' ||
    ['SecurityError', 'InvalidStateError'].includes(name(error))
  )
    throw new NoStorage('none', { cause: error });
  if (name(error) === 'VersionError') throw new NoStorage('newer', { cause: error });
  await store.close();
  const saved = await salvage(store.name);
  try {
    await ask(indexedDB.deleteDatabase(store.name));
    await putBack(store, saved, now);
  } catch (cause) {
    throw new NoStorage('broken', { cause });
  }
}

/** The same while a tab is open, whose memory may know more than the disk. Fails with `error` when that is no fault of the
 *  store. */
export async function mend(
  store: Store,
  error: unknown,
  mirror: Mirror,
  now: number,
): Promise<void> {
  if (error instanceof Evicted) {
    await putBack(store, remembered(store, mirror), now);
    return;
  }
  if (name(error) === 'VersionError') {
    mirror.outdated = true;
    mirror.changed();
  }
  if (!['UnknownError', 'DataError', 'NotFoundError'].includes(name(error))) throw error;
  await rescue(store, error, now);
}

/** Row by row: one that cannot be read must not take the others with it. */
async function salvage(database: string): Promise<Saved> {
  const db = await ask(indexedDB.open(database)).catch(() => null);
  const read = async (
    name: string,
  ): Promise<{ rows: [IDBValidKey, unknown][]; whole: boolean }> => {
    const rows: [IDBValidKey, unknown][] = [];
    let whole = true;
    try {
      if (db === null) throw new Error('It does not even open.');
      // An older app had fewer.
      if (!db.objectStoreNames.contains(name)) return { rows, whole };
      const store = (): IDBObjectStore => db.transaction(name).objectStore(name);
      for (const key of await ask(store().getAllKeys())) {
        await ask<unknown>(store().get(key)).then(
          (row) => rows.push([key, row]),
          () => (whole = false),
        );
      }
    } catch {
      whole = false;
    }
    return { rows, whole };
  };
  const [meta, outbox, keys] = [await read('meta'), await read('outbox'), await read('keys')];
  db?.close();
  const isWhole = meta.whole && meta.rows.some(([key]) => key === 'identity');
  return {
    meta: isWhole ? (meta.rows as [string, unknown][]) : [],
    outbox: outbox.rows.map(([, row]) => row as Waiting),
    keys: keys.rows.map(([, row]) => row as SessionKey),
    spaces: [],
    base: [],
    lost: !outbox.whole,
  };
}

/** What a tab still knows of a store that was emptied. */
function remembered(store: Store, mirror: Mirror): Saved {
  const views = [...mirror.views.values()];
  const outbox = views.flatMap((view) => view.waiting());
  const base = views.flatMap((view) => [...view.held().base]);
  const clocks = [
    ...outbox.map(({ op }) => op.hlc),
    ...base.flatMap(({ clk }) => Object.values(clk)),
    store.latest,
  ];
  const numbers = new Map(store.numbers);
  for (const { space, n } of outbox) numbers.set(space, Math.max(n, numbers.get(space) ?? 0));
  return {
    meta: [
      ['identity', store.known],
      ['author', { account: mirror.account } satisfies Author],
      ['own/held', mirror.shared.trouble === 'signed_out'],
      ['hlc', clocks.reduce((a, b) => (a > b ? a : b), NEVER)],
      ...(mirror.counted.time ?? []),
      ...[...numbers].map(([space, n]) => [`n/${space}`, n] as const),
    ],
    outbox,
    keys: [...signing.values()],
    spaces: views.map((view) => view.stored),
    base,
    lost: false,
  };
}

async function putBack(store: Store, saved: Saved, now: number): Promise<void> {
  const isNew = saved.meta.length === 0;
  const outbox = isNew ? numberedAnew(saved.outbox) : saved.outbox;
  await store.database.write(STORES, async (tx) => {
    const meta = tx.objectStore('meta');
    for (const [key, value] of saved.meta) await meta.put(value, key);
    if (isNew) await meta.put((store.known = store.newIdentity(now)), 'identity');
    for (const key of saved.keys) await tx.objectStore('keys').put(key);
    for (const space of saved.spaces) await tx.objectStore('space').put(space);
    for (const row of saved.base) await tx.objectStore('base').put(row);
    for (const waiting of outbox) {
      await tx.objectStore('outbox').put(waiting);
      if (isNew) await meta.put(waiting.n, `n/${waiting.space}`);
    }
    if (saved.lost) await meta.put(now, 'broken');
  });
}

/** As the first changes of a new device: the server knows each by its id, whatever its number. */
function numberedAnew(outbox: readonly Waiting[]): Waiting[] {
  const last = new Map<string, number>();
  return outbox.map((waiting) => {
    const n = (last.get(waiting.space) ?? 0) + 1;
    last.set(waiting.space, n);
    return { ...waiting, n, op: { ...waiting.op, n } };
  });
}

function name(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : '';
}
