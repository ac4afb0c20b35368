/** What the replica does beside showing and writing: it meets the server when it is this tab's turn, follows who uses the
 *  device, and mends. Fetched after the first screen. */
import { forgetBeside } from './beside';
import { StorageFull } from './database';
import { Engine, type EngineHost } from './engine';
import { uuid7 } from './ids';
import { keep, signing, type SessionSecret } from './keys';
import { Leader } from './leader';
import { countLost } from './life';
import type { Mirror } from './mirror';
import { readRefused } from './parked';
import {
  arrive,
  canStay,
  count,
  endLease,
  leave,
  makeRoom,
  noteTime,
  signOut,
  type Leaving,
} from './people';
import { httpNetwork } from './network';
import type { Platform } from './platform';
import { basis, drafts } from './proposals';
import { seqOf, SyncError, type Network, type SyncFailure } from './protocol';
import type { ReplicaOptions, Told } from './replica';
import { Evicted, type Store } from './store';

export type { SessionSecret };

const MEET_MS = 30_000;
const LEAD_AGAIN_MS = 10_000;
const TICK_MS = 60_000;
/** How often a tab that does not lead looks whether the one that does is alive, and how long that may take to say so. */
const WATCH_MS = 30_000;
const ANSWER_MS = 5_000;
/** So many failures of the device's own store in a row are no accident. */
const BROKEN_AFTER = 3;
/** A store that is being emptied is looked at when that is done. */
const LOST_MS = 500;

export class Tender {
  readonly #mirror: Mirror;
  readonly #options: ReplicaOptions;
  readonly #store: Store;
  readonly #platform: Platform;
  readonly #network: Network;
  readonly #say: (told: Told) => void;
  #leader: Leader | null = null;
  #engine: Engine | null = null;
  #meetings = new Map<string, () => void>();
  /** Waits for its turn to lead. */
  #queued = false;
  #watching = false;
  #heard = false;
  #broke = 0;
  #obeying: Promise<void> | null = null;

  constructor(mirror: Mirror, options: ReplicaOptions, say: (told: Told) => void) {
    this.#mirror = mirror;
    this.#options = options;
    this.#store = options.store;
    this.#platform = options.platform;
    this.#network = options.network ?? httpNetwork();
    this.#say = say;
    this.#store.database.onlost = () => this.#platform.later(LOST_MS, () => this.#verify());
    void this.#count().catch(() => undefined);
  }

  // ── leading

  /** Lead when it is this tab's turn. Meanwhile look after the one that leads. */
  lead(): void {
    if (!this.#queued) this.#ask(false);
    if (this.#watching) return;
    this.#watching = true;
    this.#platform.later(WATCH_MS, () => this.#watch());
    this.#platform.later(TICK_MS, () => this.#tick());
  }

  #ask(steal: boolean): void {
    if (!steal) this.#queued = true;
    let leader: Leader | null = null;
    const whileHeld = async (): Promise<void> => {
      if (!steal) this.#queued = false;
      // It was stolen for this tab meanwhile, or the tab is closing.
      if (this.#mirror.closed || this.#leader !== null) return;
      leader = this.#leader = await this.#makeLeader();
      try {
        await leader.run();
      } finally {
        if (this.#leader === leader) this.#leader = null;
      }
    };
    // Taken by another tab, which believed this one to be asleep, or the code could not be fetched: wait in line again.
    const robbed = (): void => {
      leader?.stop();
      if (this.#leader === leader) this.#leader = null;
      if (!this.#queued) this.#platform.later(LEAD_AGAIN_MS, () => this.lead());
    };
    this.#platform.lock('mos-sync', whileHeld, { steal, robbed });
  }

  /** A tab that the system put to sleep holds the lead for ever and does nothing with it. */
  #watch(): void {
    if (this.#mirror.closed) return;
    this.#platform.later(WATCH_MS, () => this.#watch());
    this.#look();
  }

  #look(): void {
    if (this.#leader !== null) return;
    this.#heard = false;
    this.#say({ kind: 'ask' });
    this.#platform.later(ANSWER_MS, () => {
      if (!this.#heard && this.#leader === null && !this.#mirror.closed) this.#ask(true);
    });
  }

  async #makeLeader(): Promise<Leader> {
    const network = this.#network;
    const { platform } = this.#options;
    this.#engine = new Engine(this.#store, network, this.#host());
    // A wipe that the server has not heard of.
    if ((await this.#recall('wiped')) !== undefined)
      void import('./wipe').then(({ report }) => report(this.#store, network)).catch(() => null);
    return new Leader(this.#engine, network, platform, {
      ended: (failure) => this.#ended(failure),
      seq: (space) => seqOf(this.#mirror.views.get(space)?.cursor ?? ''),
      broke: (error) => this.#failed(error),
      wiped: (nonce) => this.#obey(nonce),
    });
  }

  #host(): EngineHost {
    const mirror = this.#mirror;
    return {
      now: () => this.#platform.now(),
      random: this.#platform.random,
      app: this.#options.app,
      changed: async (touched) => {
        // Screens work out all that they show anew.
        if (touched.size === 0) return;
        await mirror.look(touched);
        for (const [space, recs] of touched)
          this.#say({ kind: 'changed', space, recs, wrote: false });
      },
      listed: async () => {
        await mirror.list();
        this.#say({ kind: 'listed' });
      },
      held: (space) => mirror.views.get(space)?.held(),
      counted: () => this.#count(),
      skew: (skewMs) => (mirror.shared = { ...mirror.shared, skewMs }),
    };
  }

  #ended(failure: SyncFailure | null): void {
    const mirror = this.#mirror;
    const now = this.#platform.now();
    if (failure === null) {
      this.#broke = 0;
      mirror.full = false;
      mirror.shared = { ...mirror.shared, online: true, lastSyncedAt: now, trouble: null };
      void this.#store.remember('lastSyncedAt', now).catch(() => undefined);
    } else {
      mirror.shared = {
        ...mirror.shared,
        online: failure !== 'offline',
        trouble: failure === 'signed_out' || failure === 'upgrade_required' ? failure : null,
      };
    }
    this.#say({ kind: 'state', state: mirror.shared });
    mirror.changed();
  }

  /** True when the store was emptied and has been filled again. */
  async #failed(error: unknown): Promise<boolean> {
    let filled = false;
    if (error instanceof StorageFull) this.#mirror.full = true;
    else {
      reportError(error);
      this.#broke += 1;
      if (this.#broke >= BROKEN_AFTER || error instanceof Evicted)
        filled = await this.mend(error).then(
          () => error instanceof Evicted,
          (failure: unknown) => {
            reportError(failure);
            return false;
          },
        );
    }
    this.#mirror.changed();
    return filled;
  }

  stop(): void {
    this.#leader?.stop();
  }

  nudge(): void {
    if (this.#leader !== null) this.#leader.nudge();
    else {
      this.#say({ kind: 'meet', id: '' });
      if (this.#watching) this.#look();
    }
  }

  async meet(): Promise<void> {
    if (this.#leader !== null) return this.#leader.meet();
    const id = uuid7(this.#platform.now(), this.#platform.random);
    await new Promise<void>((resolve) => {
      const cancel = this.#platform.later(MEET_MS, resolve);
      this.#meetings.set(id, () => {
        cancel();
        resolve();
      });
      this.#say({ kind: 'meet', id });
    });
    this.#meetings.delete(id);
  }

  /** What another tab says, or this one did. */
  hear(told: Told): void {
    switch (told.kind) {
      case 'changed':
        if (told.wrote) this.#leader?.nudge();
        return;
      case 'counted':
        void this.#recount().catch(() => undefined);
        return;
      case 'state':
        this.#heard = true;
        return;
      case 'ask':
        if (this.#leader !== null) this.#say({ kind: 'state', state: this.#mirror.shared });
        return;
      case 'meet':
        void this.#leader?.meet().then(() => this.#say({ kind: 'met', id: told.id }));
        return;
      case 'met':
        this.#meetings.get(told.id)?.();
        return;
      case 'wiped':
        // The service worker cannot reach what lies beside the store.
        void forgetBeside();
        this.#engine?.forgetGreeting();
        return;
      case 'listed':
    }
  }

  // ── writing

  /** See proposals.ts. */
  readonly drafts = drafts;
  readonly basis = basis;

  // ── who uses it

  /** Whose changes these are, and that the server knows it: they go out from now on. With the session's secret they can
   *  go out as theirs even after somebody else signed in. `still`: they were here when the server was asked; false, and
   *  nothing has changed, when they have left since. */
  async belongTo(
    account: string,
    session?: SessionSecret,
    { still = false } = {},
  ): Promise<boolean> {
    const key = session === undefined ? null : await keep(account, session);
    if (!(await arrive(this.#store.database, account, key, still))) return false;
    if (account !== this.#mirror.account) {
      this.#mirror.account = account;
      await this.#mirror.look([...this.#mirror.views.keys()].map((space) => [space, null]));
    }
    this.#engine?.forgetGreeting();
    this.#mirror.shared = { ...this.#mirror.shared, trouble: null };
    await this.#count();
    this.nudge();
    return true;
  }

  /** Send nothing, from any tab, until `belongTo`: somebody is signing in. */
  async hold(): Promise<void> {
    await this.#store.remember('held', true);
  }

  /** Whether all that waits could be left here and sent as theirs once somebody else has signed in. */
  canLeaveUnsent(): Promise<boolean> {
    return canStay(this.#store.database);
  }

  /** Forget what this person did here; it stays the same device. What was not sent goes too, or with `leaveUnsent` waits,
   *  for sending only, as theirs: nobody sees it again before they sign in. `ends`: see `endLeft`. */
  async forget({ leaveUnsent = false, ends }: Partial<Leaving> = {}): Promise<void> {
    await leave(this.#store.database, { leaveUnsent, ends });
    await this.#forgotten();
  }

  /** End at the server the session that somebody left here. Until that has been done nobody is let in again by its cookie.
   *  False while the server cannot be told. */
  async endLeft(): Promise<boolean> {
    try {
      await signOut(this.#store.database, this.#network);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      return false;
    } finally {
      await this.#count();
    }
    return true;
  }

  /** Forget everything, and be a new device. `nonce`: the server asked for it, and is told. `files`: the app's own go too. */
  async wipe(nonce: string | null = null, files = false): Promise<void> {
    const { dropFiles, report, wipe } = await import('./wipe');
    await wipe(this.#store, nonce, this.#platform.now());
    await this.#forgotten();
    if (files) await dropFiles().catch(reportError);
    // Told again at the next start when this does not reach it.
    if (nonce !== null) await report(this.#store, this.#network).catch(() => null);
  }

  /** The server asked for it, perhaps in two ways at once. */
  #obey(nonce: string | null): Promise<void> {
    this.#obeying ??= this.wipe(nonce, true)
      .catch(reportError)
      .finally(() => (this.#obeying = null));
    return this.#obeying;
  }

  async #forgotten(): Promise<void> {
    signing.clear();
    await forgetBeside();
    this.#say({ kind: 'wiped' });
    this.#engine?.forgetGreeting();
    this.#mirror.forgotten();
    await this.#count();
  }

  /** What had to be done before anything is shown: see `Store.isOverdue`. */
  async catchUp(): Promise<void> {
    const { catchUp } = await import('./wipe');
    if (await catchUp(this.#store, this.#platform.now())) await this.#forgotten();
  }

  #tick(): void {
    if (this.#mirror.closed) return;
    this.#platform.later(TICK_MS, () => this.#tick());
    if (this.#leader === null) return;
    void this.#keepTime().catch(() => undefined);
  }

  async #keepTime(): Promise<void> {
    const db = this.#store.database;
    if (!(await noteTime(db, this.#platform.now(), TICK_MS))) return;
    // Somebody may have put the clock right. Where the server can be reached, it says how late it is, and until when.
    this.#engine?.forgetGreeting();
    await this.#met();
    if (await noteTime(db, this.#platform.now(), 0)) await this.#endLease();
  }

  /** Resolves when the server has been met, or after a while. */
  async #met(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#platform.later(MEET_MS, resolve);
      void this.#leader?.meet().then(() => {
        cancel();
        resolve();
      });
    });
  }

  async #endLease(): Promise<void> {
    await endLease(this.#store.database);
    await this.#forgotten();
  }

  // ── what is counted

  async forgetRefused(op: string): Promise<void> {
    await this.#store.database.write(['refused', 'meta', 'outbox'], (tx) => readRefused(tx, op));
    await this.#count();
    // Told soon: it is to go from their other devices.
    this.#engine?.forgetGreeting();
    this.nudge();
  }

  /** What was lost after it was last counted has been read by nobody. */
  async forgetLost(): Promise<void> {
    const read = this.#mirror.counted.lost;
    await this.#store.database.write(['meta'], (tx) => countLost(tx, -read));
    await this.#count();
  }

  async #count(): Promise<void> {
    await this.#recount();
    this.#say({ kind: 'counted' });
  }

  #recall(key: string): Promise<unknown> {
    return this.#store.database.read(['meta'], (tx) => tx.objectStore('meta').get(key));
  }

  async #recount(): Promise<void> {
    if (this.#mirror.closed) return;
    const counted = await count(this.#store.database, this.#platform.now());
    // An emptied disk knows no time; this tab does.
    const time = counted.time?.length ? counted.time : this.#mirror.counted.time;
    this.#mirror.counted = { ...counted, ...(time && { time }) };
    this.#mirror.changed();
  }

  // ── mending

  /** Nothing could be read at the start. Fails with `NoStorage`. */
  async rescue(error: unknown): Promise<void> {
    const { rescue } = await import('./rescue');
    await rescue(this.#store, error, this.#platform.now());
  }

  /** What this tab knows is written back at once: nobody may reload it before it has something to say. */
  #verify(): void {
    if (this.#mirror.closed) return;
    this.#store
      .verify()
      .catch(async (error: unknown) => {
        await this.mend(error);
        // What waits may go now.
        this.nudge();
      })
      .catch(reportError);
  }

  /** The store failed while this tab was open: make room, or put it right. Fails with `error` when neither helps. */
  async mend(error: unknown): Promise<void> {
    if (error instanceof StorageFull) {
      this.#mirror.full = true;
      this.#mirror.changed();
      await makeRoom(this.#store.database);
      return;
    }
    const { mend } = await import('./rescue');
    await mend(this.#store, error, this.#mirror, this.#platform.now());
    this.#broke = 0;
    this.#engine?.forgetGreeting();
    await this.#mirror.list();
    await this.#count();
  }
}
