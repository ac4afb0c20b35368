/** The replica of this device: what screens read lies in memory, what they write lies on the disk before it resolves.
 *  All memory is read back from the disk after a commit, in turn, so every tab shows exactly what is stored. */
import { StorageFull } from './database';
import type { Engine, EngineHost } from './engine';
import { uuid7 } from './ids';
import type { Leader } from './leader';
import type { Json, Replica, Row, SpaceInfo, SyncStatus } from './model';
import type { Platform } from './platform';
import { seqOf, type Network, type SyncFailure } from './protocol';
import { Store, type Draft } from './store';
import { SpaceView } from './space-view';

const CHANNEL = 'mos';
const MEET_MS = 30_000;
const LEAD_AGAIN_MS = 10_000;

/** What tabs and the service worker tell each other. */
export type Told =
  | {
      readonly kind: 'changed';
      readonly space: string;
      readonly recs: readonly string[] | null;
      readonly wrote: boolean;
    }
  | { readonly kind: 'listed' }
  | { readonly kind: 'state'; readonly state: Shared }
  | { readonly kind: 'ask' }
  | { readonly kind: 'meet'; readonly id: string }
  | { readonly kind: 'met'; readonly id: string }
  | { readonly kind: 'wiped' };

/** The part of the status that only the leader knows. */
interface Shared {
  readonly online: boolean;
  readonly lastSyncedAt: number | null;
  readonly skewMs: number;
  readonly trouble: SyncStatus['trouble'];
}

export interface ReplicaOptions {
  readonly store: Store;
  /** The way to the server: fetched when it is first needed, after the screen has been shown. */
  readonly network: () => Promise<Network>;
  readonly platform: Platform;
  /** This app's version, told to the server. */
  readonly app: string;
  /** Everything of this device was forgotten, here or in another tab. */
  readonly onWiped: () => void;
}

export class LocalReplica implements Replica {
  readonly #store: Store;
  readonly #platform: Platform;
  readonly #options: ReplicaOptions;
  readonly #views = new Map<string, SpaceView>();
  readonly #listeners = new Set<() => void>();
  readonly #channel: ReturnType<Platform['channel']>;
  /** Looks at the disk happen one after another: a later look never loses to an earlier one. */
  #looking: Promise<unknown> = Promise.resolve();
  #leader: Leader | null = null;
  #engine: Engine | null = null;
  #meetings = new Map<string, () => void>();
  #account = '';
  #closed = false;
  #full = false;
  // Until the first meeting nothing says that there is no network: no screen tells so at each start.
  #shared: Shared = { online: true, lastSyncedAt: null, skewMs: 0, trouble: null };

  private constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#platform = options.platform;
    this.#channel = options.platform.channel(CHANNEL, (message) => this.#hear(message as Told));
  }

  /** Read what is here, then meet the server in the background once `lead` is called. */
  static async open(options: ReplicaOptions): Promise<LocalReplica> {
    const replica = new LocalReplica(options);
    await replica.#store.identity(options.platform.now());
    const lastSyncedAt = (await replica.#store.recall<number>('lastSyncedAt')) ?? null;
    replica.#shared = { ...replica.#shared, lastSyncedAt };
    await replica.#list();
    replica.#say({ kind: 'ask' });
    return replica;
  }

  /** Take part in leading: one tab of the device does, this one when its turn comes. */
  lead(): void {
    this.#platform.lock('mos-sync', async () => {
      if (this.#closed) return;
      try {
        this.#leader = await this.#makeLeader();
      } catch (error) {
        // Its code could not be fetched: another tab may lead, and this one asks again.
        this.#platform.later(LEAD_AGAIN_MS, () => this.lead());
        throw error;
      }
      await this.#leader.run();
    });
  }

  async #makeLeader(): Promise<Leader> {
    const [network, { Engine }, { Leader }] = await Promise.all([
      this.#options.network(),
      import('./engine'),
      import('./leader'),
    ]);
    this.#engine = new Engine(this.#store, network, this.#host());
    return new Leader(this.#engine, network, this.#platform, {
      ended: (failure) => this.#ended(failure),
      seq: (space) => seqOf(this.#views.get(space)?.cursor ?? ''),
      broke: (error) => {
        if (error instanceof StorageFull) this.#full = true;
        else reportError(error);
      },
      wiped: () => void this.wipe(),
    });
  }

  // ── the door

  spaces(): readonly SpaceInfo[] {
    return [...this.#views.values()].map(({ info }) => info);
  }

  rows(space: string, coll: string): readonly Row[] {
    return this.#views.get(space)?.rows(coll) ?? [];
  }

  row(space: string, _coll: string, rec: string): Row | undefined {
    return this.#views.get(space)?.row(rec);
  }

  async set(space: string, coll: string, rec: string, groups: Record<string, Json>): Promise<void> {
    await this.#write(space, rec, { op: this.#newId(), k: 'set', coll, rec, f: groups });
  }

  async event(space: string, coll: string, v: Record<string, Json>): Promise<string> {
    const op = this.#newId();
    await this.#write(space, op, { op, k: 'event', coll, v });
    return op;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): SyncStatus {
    let pending = 0;
    let oldest: number | null = null;
    for (const view of this.#views.values()) {
      for (const { seq, at } of view.waiting()) {
        if (seq !== null) continue;
        pending += 1;
        oldest = Math.min(oldest ?? at, at);
      }
    }
    const { online, lastSyncedAt, skewMs, trouble } = this.#shared;
    return {
      online,
      pending,
      oldestPendingAt: oldest,
      lastSyncedAt,
      skewMs,
      trouble: this.#full ? 'storage_full' : trouble,
    };
  }

  async syncNow(): Promise<void> {
    if (this.#leader !== null) return this.#leader.meet();
    const id = this.#newId();
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

  // ── who uses it

  /** Whose changes these are: they look like it until the server says so. Whether they go out stays as it was. */
  async showAs(account: string): Promise<void> {
    if (account === this.#account) return;
    this.#account = account;
    await this.#reload();
  }

  /** Whose changes these are, and that the server knows it: they go out from now on. */
  async belongTo(account: string): Promise<void> {
    await this.#store.remember('held', false);
    await this.showAs(account);
    this.#engine?.forgetGreeting();
    this.#shared = { ...this.#shared, trouble: null };
    this.nudge();
    this.#changed();
  }

  /** Send nothing, from any tab, until `belongTo`: somebody is signing in. */
  async hold(): Promise<void> {
    await this.#store.remember('held', true);
  }

  /** Forget what people did on this device, sent or not; it stays the same device. */
  async forget(): Promise<void> {
    await this.#store.forget();
    this.#say({ kind: 'wiped' });
    this.#forgotten();
  }

  /** Forget everything, and be a new device. */
  async wipe(): Promise<void> {
    await this.#store.wipe();
    await this.#store.identity(this.#platform.now());
    this.#say({ kind: 'wiped' });
    this.#forgotten();
  }

  /** Try again soon: the window came back, or the network did. */
  nudge(): void {
    if (this.#leader === null) this.#say({ kind: 'meet', id: '' });
    else this.#leader.nudge();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#leader?.stop();
    this.#channel.close();
    await this.#looking;
    await this.#store.close();
  }

  // ── inside

  async #write(space: string, rec: string, draft: Draft): Promise<void> {
    try {
      await this.#store.add(space, draft, this.#platform.now());
    } catch (error) {
      if (error instanceof StorageFull) {
        this.#full = true;
        this.#changed();
      }
      throw error;
    }
    this.#full = false;
    await this.#look(space, [rec]);
    this.#say({ kind: 'changed', space, recs: [rec], wrote: true });
    this.#leader?.nudge();
  }

  #host(): EngineHost {
    return {
      now: () => this.#platform.now(),
      random: this.#platform.random,
      app: this.#options.app,
      changed: async (space, recs) => {
        await this.#look(space, recs);
        this.#say({ kind: 'changed', space, recs, wrote: false });
      },
      listed: async () => {
        await this.#list();
        this.#say({ kind: 'listed' });
      },
      held: (space) => this.#views.get(space)?.held(),
      refused: () => (this.#shared = { ...this.#shared, trouble: 'refused' }),
      skew: (skewMs) => (this.#shared = { ...this.#shared, skewMs }),
    };
  }

  #ended(failure: SyncFailure | null): void {
    const now = this.#platform.now();
    const refused = this.#shared.trouble === 'refused' ? 'refused' : null;
    if (failure === null) {
      this.#shared = { ...this.#shared, online: true, lastSyncedAt: now, trouble: refused };
      void this.#store.remember('lastSyncedAt', now).catch(() => undefined);
    } else {
      this.#shared = {
        ...this.#shared,
        online: failure !== 'offline',
        trouble: troubleOf(failure) ?? refused,
      };
    }
    this.#say({ kind: 'state', state: this.#shared });
    this.#changed();
  }

  #hear(told: Told): void {
    switch (told.kind) {
      case 'changed':
        if (told.wrote) this.#leader?.nudge();
        void this.#look(told.space, told.recs);
        return;
      case 'listed':
        void this.#list();
        return;
      case 'state':
        this.#shared = told.state;
        this.#changed();
        return;
      case 'ask':
        if (this.#leader !== null) this.#say({ kind: 'state', state: this.#shared });
        return;
      case 'meet':
        void this.#leader?.meet().then(() => this.#say({ kind: 'met', id: told.id }));
        return;
      case 'met':
        this.#meetings.get(told.id)?.();
        return;
      case 'wiped':
        this.#forgotten();
    }
  }

  #forgotten(): void {
    this.#views.clear();
    this.#engine?.forgetGreeting();
    this.#shared = { online: this.#shared.online, lastSyncedAt: null, skewMs: 0, trouble: null };
    this.#options.onWiped();
    this.#changed();
  }

  /** Read records of a space again; `null`: all of it. */
  #look(space: string, recs: readonly string[] | null): Promise<void> {
    return this.#inTurn(async () => {
      // Records of a space that was never read make no sense alone.
      const whole = recs === null || !this.#views.has(space);
      const state = await this.#store.look(space, whole ? null : recs);
      if (state.info === undefined) this.#views.delete(space);
      else {
        const view = this.#views.get(space) ?? new SpaceView();
        view.show(state, whole ? null : recs, this.#account);
        this.#views.set(space, view);
      }
    });
  }

  async #list(): Promise<void> {
    const stored = await this.#store.spaces();
    const known = new Set(stored.map(({ id }) => id));
    for (const id of new Set([...known, ...this.#views.keys()])) {
      const view = this.#views.get(id);
      const info = stored.find((each) => each.id === id);
      if (view !== undefined && info !== undefined) view.rename(info);
      else await this.#look(id, null);
    }
    this.#changed();
  }

  async #reload(): Promise<void> {
    await Promise.all([...this.#views.keys()].map((space) => this.#look(space, null)));
  }

  #inTurn(look: () => Promise<void>): Promise<void> {
    const turn = this.#looking.then(async () => {
      if (this.#closed) return;
      await look();
      this.#changed();
    });
    this.#looking = turn.catch(() => undefined);
    return turn;
  }

  #newId(): string {
    return uuid7(this.#platform.now(), this.#platform.random);
  }

  #say(told: Told): void {
    if (!this.#closed) this.#channel.say(told);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function troubleOf(failure: SyncFailure): SyncStatus['trouble'] {
  return failure === 'signed_out' || failure === 'upgrade_required' ? failure : null;
}
