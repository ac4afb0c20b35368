/** One round with the server: greet, send what waits, fetch what is new. Decides nothing about when; keeps nothing but
 *  what may be forgotten. Two engines at once do no harm: the server knows each change by its id, and a pull is only
 *  taken in on top of the cursor it was asked with. */
import { uuid7, type Random } from './ids';
import {
  PROTO,
  SCHEMA,
  SyncError,
  type Limits,
  type Network,
  type Op,
  type PullAnswer,
  type Pulled,
  type PushAnswer,
  type WireRow,
} from './protocol';
import { Intake, type Unsent } from './intake';
import { sign } from './keys';
import { begun, fetchSnapshot } from './snapshot';
import type { Store } from './store';
import { fingerprint, type BaseRow } from './view';

const PULL_ROWS = 2000;
/** Of how many spaces one pull asks; of more it is several. */
const PULL_SPACES = 500;
/** A push needs room for its envelope. */
const ENVELOPE_BYTES = 1024;
const DEFAULT_LIMITS: Limits = { ops: 500, bytes: 1_048_576 };
/** Asking for a whole space again because of a wrong fingerprint: not more often than this. */
const DISTRUST_MS = 3_600_000;

/** What clocks may differ, between two answers, without anybody having set them. */
const CLOCK_MS = 1_000;
/** So many changes that cannot be read, one after the other and each alone, and nothing that can: the fault is not theirs. */
const UNREAD_ENOUGH = 3;

/** Records by space; `null`: all of it. */
type Touched = ReadonlyMap<string, readonly string[] | null>;

export interface EngineHost {
  now(): number;
  readonly random: Random;
  readonly app: string;
  /** Records that may look different now, by space. Resolves when `held` tells them. */
  changed(touched: Touched): Promise<void>;
  /** The list of spaces may be different now. */
  listed(): Promise<void>;
  /** What is held of a space, and the cursor it stands for. */
  held(space: string): { readonly cursor: string; readonly base: Iterable<BaseRow> } | undefined;
  /** What the status counts may be different now: what was refused, lost, or left by others. */
  counted(): Promise<void>;
  /** Server clock minus device clock, ms. */
  skew(ms: number): void;
}

export interface Round {
  /** The server wants some changes later: ms, or null when all was taken. */
  readonly retryMs: number | null;
}

export class Engine {
  readonly #store: Store;
  readonly #intake: Intake;
  readonly #network: Network;
  readonly #host: EngineHost;
  #limits = DEFAULT_LIMITS;
  #greeted = false;
  #skew: Measured[] = [];
  /** As this engine last stored it. */
  #stored: number | null = null;
  readonly #distrusted = new Map<string, number>();
  /** Where spaces that are to be fetched as a whole are to be had as a stream. */
  readonly #snapshots = new Map<string, string>();
  /** Spaces of which the server has none, or a wrong one: they come by pages. */
  readonly #paged = new Set<string>();
  #looked = false;

  constructor(store: Store, network: Network, host: EngineHost) {
    this.#store = store;
    this.#intake = new Intake(store.database);
    this.#network = network;
    this.#host = host;
  }

  /** Say hello again before the next exchange: somebody signed in, or time has passed. */
  forgetGreeting(): void {
    this.#greeted = false;
  }

  /** Fails with a `SyncError`; whatever was exchanged before that is kept. */
  async round(): Promise<Round> {
    const device = await this.#begin();
    let retryMs: number | null = null;
    for (let tries = 0; tries < 3; tries++) {
      if (!this.#greeted) await this.#hello(device);
      retryMs = await this.#push(device);
      const gone = await this.#pull(device);
      if (gone.length > 0) retryMs = await this.#leave(device, gone);
      // Another history of the server was met on the way: greet it, and go on from there.
      if (this.#greeted) break;
    }
    return { retryMs };
  }

  /** Send only: what the service worker does after a tap on a notification. */
  async send(): Promise<Round> {
    return { retryMs: await this.#push(await this.#begin()) };
  }

  async #begin(): Promise<string> {
    // Nobody is signed in, or somebody is about to be.
    if ((await this.#store.recall<boolean>('held')) !== false) throw new SyncError('signed_out');
    return (await this.#store.identity(this.#host.now())).device;
  }

  /** What was written meanwhile goes first; then the spaces leave the device. */
  async #leave(device: string, spaces: readonly string[]): Promise<number | null> {
    const retryMs = await this.#push(device);
    for (const space of spaces) await this.#intake.purge(space);
    await this.#host.changed(whole(spaces));
    await this.#host.listed();
    await this.#host.counted();
    return retryMs;
  }

  async #hello(device: string): Promise<void> {
    const [sent, news] = [await this.#intake.sent(), await this.#intake.news()];
    const { lost, purged, read } = news;
    const asked = this.#host.now();
    const answer = await this.#network.hello({
      proto: [PROTO, PROTO],
      schema: SCHEMA,
      app: this.#host.app,
      device_id: device,
      client_now: new Date(asked).toISOString(),
      sent,
      ...(Object.keys(lost).length > 0 && { lost }),
      ...(purged.length > 0 && { purged }),
      ...(read.length > 0 && { read }),
    });
    if (answer.wipe) throw new SyncError('wipe');
    this.#limits = answer.limits;
    await this.#measure(answer.server_now, asked);
    const greeted = await this.#intake.greet(answer, { ...news, sent }, this.#host.now());
    // What is lost is told in another hello.
    this.#greeted = !greeted.lost;
    await this.#host.changed(whole(greeted.again));
    await this.#host.listed();
    await this.#host.counted();
  }

  // ── sending

  async #push(device: string): Promise<number | null> {
    let retryMs: number | null = null;
    let limits = this.#limits;
    const put = new Set<string>();
    const unread: Unsent[][] = [];
    let others = false;
    while (others || unread.length < UNREAD_ENOUGH) {
      const unsent = await this.#intake.unsent(this.#host.now(), this.#host.app);
      const units = cut(
        unsent.filter(({ op }) => !put.has(op.op)),
        limits,
      );
      const batch = units.flat();
      const [first] = batch;
      if (first === undefined) break;
      try {
        const asked = this.#host.now();
        const id = uuid7(asked, this.#host.random);
        const ops = batch.map(({ op }) => op);
        const answer = await this.#network.push({
          proto: PROTO,
          schema: SCHEMA,
          device_id: device,
          batch: id,
          client_now: new Date(asked).toISOString(),
          ...(first.as !== null && { as: await sign(first.as, device, id, ops) }),
          ops,
        });
        const wait = await this.#settle(answer, asked);
        if (wait !== null) retryMs = Math.max(retryMs ?? 0, wait);
        others = true;
        if (unread.length > 0) limits = this.#limits;
        await this.#noteUnread(unread.splice(0).flat(), others);
      } catch (error) {
        if (isTooMuch(error)) {
          // A batch is halved until what cannot be read stands alone; it must not stop the others.
          if (units.length > 1) {
            limits = { ...limits, ops: Math.floor(batch.length / 2) };
            continue;
          }
          if (!others) unread.push(batch);
          // The next alone tells whether anything can be read.
          limits = others ? this.#limits : { ...limits, ops: 1 };
          await this.#noteUnread(batch, others);
        }
        // Not theirs, the server says: it waits for a better day, and stops nobody.
        else if (!(error instanceof SyncError && error.kind === 'not_the_author')) throw error;
      }
      // An answer without a verdict, or with "later", leaves it in the outbox: not twice in one round.
      for (const { op } of batch) put.add(op.op);
    }
    return retryMs;
  }

  async #noteUnread(unit: readonly Unsent[], others: boolean): Promise<void> {
    if (unit.length === 0) return;
    const { app } = this.#host;
    await this.#intake.noteUnread(unit, { app, now: this.#host.now(), others });
    await this.#host.changed(whole(unit.map(({ space }) => space)));
    await this.#host.counted();
  }

  async #settle(answer: PushAnswer, asked: number): Promise<number | null> {
    await this.#measure(answer.server_now, asked);
    const settled = await this.#intake.settle(answer, this.#host.now());
    await this.#host.changed(settled.changed);
    if (settled.counted) await this.#host.counted();
    if (settled.lost) this.#greeted = false;
    return settled.retryMs;
  }

  // ── fetching

  /** Returns the spaces that were taken from us. */
  async #pull(device: string): Promise<string[]> {
    const gone = new Set<string>();
    // Pages of a space that is fetched as a whole; it is replaced in one piece at the last.
    const pages = new Map<string, { cursor: string; rows: WireRow[] }>();
    for (;;) {
      await this.#stream(gone);
      const cursors: Record<string, string> = {};
      for (const { id, cursor } of await this.#store.spaces()) {
        if (!gone.has(id)) cursors[id] = pages.get(id)?.cursor ?? cursor;
      }
      const parts = partsOf(cursors);
      let more = false;
      for (const part of parts) {
        const answer = await this.#ask(device, part, parts.length > 1);
        for (const { id, purge } of answer.gone) {
          if (purge) gone.add(id);
          else await this.#intake.admit([{ id, role: '', permissions: [] }]);
        }
        more = (await this.#takeIn(answer, part, pages, gone)) || more;
        if (!this.#greeted) break;
      }
      if (!more || !this.#greeted) return [...gone];
    }
  }

  async #ask(
    device: string,
    spaces: Readonly<Record<string, string>>,
    part: boolean,
  ): Promise<PullAnswer> {
    const asked = this.#host.now();
    const answer = await this.#network.pull({
      proto: PROTO,
      schema: SCHEMA,
      device_id: device,
      spaces,
      limit: PULL_ROWS,
      check: true,
      ...(part && { part }),
    });
    await this.#measure(answer.server_now, asked);
    return answer;
  }

  /** True when there is more to fetch. */
  async #takeIn(
    answer: PullAnswer,
    cursors: Readonly<Record<string, string>>,
    pages: Map<string, { cursor: string; rows: WireRow[] }>,
    gone: ReadonlySet<string>,
  ): Promise<boolean> {
    let more = false;
    const touched = new Map<string, readonly string[] | null>();
    for (const pulled of answer.spaces) {
      const asked = cursors[pulled.id];
      if (asked === undefined) continue;
      if (asked === '' && pulled.more && !this.#paged.has(pulled.id)) {
        // Too much for pages.
        this.#snapshots.set(pulled.id, streamOf(pulled.id));
        more = true;
        continue;
      }
      const whole = asked === '' ? { cursor: '', rows: [] } : pages.get(pulled.id);
      if (whole !== undefined) {
        whole.cursor = pulled.cur;
        whole.rows.push(...pulled.rows);
        pages.set(pulled.id, whole);
        if (!pulled.more) {
          pages.delete(pulled.id);
          if (await this.#take(pulled, '', whole.rows)) touched.set(pulled.id, null);
        }
      } else if (await this.#take(pulled, asked, pulled.rows)) {
        touched.set(
          pulled.id,
          pulled.rows.map(([, rec]) => rec),
        );
      }
      more ||= pulled.more;
    }
    // All at once: each time screens work out their day anew.
    await this.#host.changed(touched);
    for (const pulled of answer.spaces)
      if (pulled.id in cursors && !(await this.#agrees(pulled))) more = true;
    // One that was taken and given back meanwhile leaves first; the next round fetches it.
    const fresh = answer.added.filter(({ id }) => !(id in cursors) && !gone.has(id));
    await this.#intake.admit(answer.added);
    if (answer.added.length > 0) await this.#host.listed();
    for (const { id, snap } of [...fresh, ...answer.reset])
      if (snap !== undefined) this.#snapshots.set(id, snap);
    for (const { id } of answer.reset) {
      await this.#intake.distrust(id);
      // It may have lost what it once answered; hello will tell.
      this.#greeted = false;
    }
    return more || fresh.length > 0 || answer.reset.length > 0;
  }

  /** Fetch as a whole what the server offers as a stream. */
  async #stream(gone: ReadonlySet<string>): Promise<void> {
    if (!this.#looked) {
      // Cut when the app was closed.
      for (const id of await begun(this.#store.database)) this.#snapshots.set(id, streamOf(id));
      this.#looked = true;
    }
    for (const { id, cursor } of await this.#store.spaces()) {
      const path = this.#snapshots.get(id);
      if (path === undefined || cursor !== '' || gone.has(id) || this.#paged.has(id)) continue;
      try {
        const now = this.#host.now();
        const taken = await fetchSnapshot(this.#store.database, this.#network, id, path, now);
        if (taken) await this.#host.changed(whole([id]));
        this.#snapshots.delete(id);
      } catch (error) {
        const kind = error instanceof SyncError ? error.kind : null;
        // Begun anew at the next round.
        if (kind === 'stale_snapshot') throw new SyncError('busy');
        if (kind !== 'no_snapshot') throw error;
        this.#paged.add(id);
      }
    }
  }

  #take({ id, cur, more }: Pulled, asked: string, rows: readonly WireRow[]): Promise<boolean> {
    return this.#intake.take(id, asked, rows, cur, this.#host.now(), more);
  }

  /** Compare what we hold with what the server counts; a difference sends the space back to its beginning. */
  async #agrees(pulled: Pulled): Promise<boolean> {
    if (pulled.more || pulled.check === undefined) return true;
    const held = this.#host.held(pulled.id);
    // Another tab went on; its own comparison counts.
    if (held?.cursor !== pulled.cur) return true;
    const mine = fingerprint(held.base);
    const same =
      mine.n === pulled.check.n && mine.sum === pulled.check.sum && mine.sq === pulled.check.sq;
    const last = this.#distrusted.get(pulled.id) ?? -Infinity;
    if (same || this.#host.now() - last < DISTRUST_MS) return true;
    this.#distrusted.set(pulled.id, this.#host.now());
    await this.#intake.distrust(pulled.id);
    return false;
  }

  /** How far the server's clock is ahead, from the quickest of the last eight answers. */
  async #measure(serverNow: string, asked: number): Promise<void> {
    const now = this.#host.now();
    const rtt = Math.max(0, now - asked);
    const server = Date.parse(serverNow);
    const latest = { ms: server - (asked + rtt / 2), rtt };
    // One that cannot be true beside this one was measured before somebody set the clock.
    const before = this.#skew.slice(-7).filter((each) => agree(each, latest));
    this.#skew = [...before, latest];
    const best = this.#skew.reduce((a, b) => (b.rtt < a.rtt ? b : a));
    const ms = Math.round(best.ms);
    this.#host.skew(ms);
    if (this.#stored !== null && Math.abs(ms - this.#stored) < CLOCK_MS) return;
    this.#stored = ms;
    await this.#intake.noteClock(ms, server);
  }
}

/** How far the server's clock is ahead, as one answer tells it: within half the time that it took. */
interface Measured {
  readonly ms: number;
  readonly rtt: number;
}

function agree(a: Measured, b: Measured): boolean {
  return Math.abs(a.ms - b.ms) <= (a.rtt + b.rtt) / 2 + CLOCK_MS;
}

/** As many changes as fit into one push, of one author, always at least one unit: a change, or those of a group. */
function cut(waiting: readonly Unsent[], limits: Limits): Unsent[][] {
  const batch: Unsent[][] = [];
  let ops = 0;
  let bytes = ENVELOPE_BYTES;
  for (const unit of unitsOf(waiting)) {
    ops += unit.length;
    bytes += unit.reduce((sum, { op }) => sum + sizeOf(op), 0);
    const isFirst = batch.length === 0;
    if (!isFirst && (ops > limits.ops || bytes > limits.bytes)) break;
    if (!isFirst && sidOf(unit) !== sidOf(batch[0])) break;
    // What could not be read takes nobody with it.
    if (!isFirst && isSuspect(unit) !== isSuspect(batch[0])) break;
    batch.push(unit);
  }
  return batch;
}

/** A group is written at once and therefore lies together. */
function unitsOf(waiting: readonly Unsent[]): Unsent[][] {
  const units: Unsent[][] = [];
  let last: string | undefined;
  for (const each of waiting) {
    const { g } = each.op;
    if (g !== undefined && g === last) units.at(-1)?.push(each);
    else units.push([each]);
    last = g;
  }
  return units;
}

/** At least one: who has no space yet hears of their first. */
function partsOf(cursors: Readonly<Record<string, string>>): Record<string, string>[] {
  const all = Object.entries(cursors);
  const parts = [Object.fromEntries(all.slice(0, PULL_SPACES))];
  for (let from = PULL_SPACES; from < all.length; from += PULL_SPACES)
    parts.push(Object.fromEntries(all.slice(from, from + PULL_SPACES)));
  return parts;
}

function whole(spaces: readonly string[]): Touched {
  return new Map(spaces.map((space) => [space, null]));
}

function streamOf(space: string): string {
  return `/sync/v1/snapshot/${space}`;
}

function sidOf(unit: readonly Unsent[] | undefined): string | undefined {
  return unit?.[0]?.as?.sid;
}

function isSuspect(unit: readonly Unsent[] | undefined): boolean {
  return unit?.[0]?.unread !== undefined;
}

function sizeOf(op: Op): number {
  return new TextEncoder().encode(JSON.stringify(op)).length + 1;
}

function isTooMuch(error: unknown): boolean {
  return error instanceof SyncError && (error.kind === 'too_large' || error.kind === 'malformed');
}
