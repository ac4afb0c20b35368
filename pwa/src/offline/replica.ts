/** The replica of this device: what screens read lies in memory (mirror.ts), what they write lies on the disk before it
 *  resolves. What a first screen can wait for, meeting the server and who uses the device, is in tend.ts. */
import { uuid7 } from './ids';
import { Mirror, type Shared } from './mirror';
import type {
  Choice,
  Json,
  Proposal,
  Refused,
  Replica,
  Row,
  SpaceInfo,
  SyncStatus,
  Value,
  Write,
} from './model';
import type { Platform } from './platform';
import type { Network } from './protocol';
import type { Draft, More, Signed, Store } from './store';
import type { Tender } from './tend';

const CHANNEL = 'mos';
const AGAIN_MS = 10_000;

/** What tabs and the service worker tell each other. */
export type Told =
  | {
      readonly kind: 'changed';
      readonly space: string;
      readonly recs: readonly string[] | null;
      readonly wrote: boolean;
    }
  | { readonly kind: 'listed' }
  /** What mirror.ts calls counted may be different now. */
  | { readonly kind: 'counted' }
  | { readonly kind: 'state'; readonly state: Shared }
  | { readonly kind: 'ask' }
  | { readonly kind: 'meet'; readonly id: string }
  | { readonly kind: 'met'; readonly id: string }
  | { readonly kind: 'wiped' };

export interface ReplicaOptions {
  readonly store: Store;
  /** The way to the server, when it is not the usual one. */
  readonly network?: Network;
  readonly platform: Platform;
  /** This app's version, told to the server. */
  readonly app: string;
  /** Everything of this device was forgotten, here or in another tab. */
  readonly onWiped: () => void;
}

export class LocalReplica implements Replica {
  readonly #options: ReplicaOptions;
  readonly #mirror: Mirror;
  readonly #channel: ReturnType<Platform['channel']>;
  #tender: Tender | null = null;

  private constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#mirror = new Mirror(options.store, options.onWiped);
    this.#channel = options.platform.channel(CHANNEL, (message) => this.#hear(message as Told));
  }

  /** Read what is here, then meet the server in the background once `lead` is called. Fails with `NoStorage`. */
  static async open(options: ReplicaOptions): Promise<LocalReplica> {
    const replica = new LocalReplica(options);
    await replica.#begin().catch(async (error: unknown) => {
      await (await replica.tend()).rescue(error);
      await replica.#begin();
    });
    return replica;
  }

  async #begin(): Promise<void> {
    const { store, platform } = this.#options;
    await store.identity(platform.now());
    if (await store.isOverdue(platform.now())) await (await this.tend()).catchUp();
    const lastSyncedAt = (await store.recall<number>('lastSyncedAt')) ?? null;
    this.#mirror.shared = { ...this.#mirror.shared, lastSyncedAt };
    await this.#mirror.list();
    this.#say({ kind: 'ask' });
  }

  /** Take part in leading: one tab of the device does, this one when its turn comes. */
  lead(): void {
    this.tend().then(
      (tender) => tender.lead(),
      // Its code could not be fetched: another tab may lead, and this one asks again.
      () => this.#options.platform.later(AGAIN_MS, () => this.lead()),
    );
  }

  // ── the door

  spaces(): readonly SpaceInfo[] {
    return [...this.#mirror.views.values()].map(({ info }) => info);
  }

  rows(space: string, coll: string): readonly Row[] {
    return this.#mirror.views.get(space)?.rows(coll) ?? [];
  }

  row(space: string, _coll: string, rec: string): Row | undefined {
    return this.#mirror.views.get(space)?.row(rec);
  }

  async set(space: string, coll: string, rec: string, groups: Record<string, Json>): Promise<void> {
    await this.write(space, [{ op: this.#newId(), k: 'set', coll, rec, f: groups }]);
  }

  async event(space: string, coll: string, v: Record<string, Json>): Promise<string> {
    const op = this.#newId();
    await this.write(space, [{ op, k: 'event', coll, v }]);
    return op;
  }

  async group(space: string, writes: readonly Write[]): Promise<void> {
    const { drafts } = await this.tend();
    await this.write(
      space,
      drafts(writes, () => this.#newId()),
    );
  }

  async safety(space: string, coll: string, rec: string, { v, base }: Value): Promise<string> {
    const op = this.#newId();
    const { basis } = await this.tend();
    await this.write(space, [{ op, k: 'safety', coll, rec, v }], basis(space, rec, base));
    return op;
  }

  async resolve(space: string, coll: string, rec: string, choice: Choice): Promise<string> {
    const op = this.#newId();
    const { base, seen, choose, why } = choice;
    await this.write(space, [{ op, k: 'resolve', coll, rec, base, seen, choose, why }]);
    return op;
  }

  proposals(space: string, coll: string): readonly Proposal[] {
    return this.#mirror.views.get(space)?.proposals(coll) ?? [];
  }

  refused(): readonly Refused[] {
    return this.#mirror.counted.refused;
  }

  async forgetRefused(op: string): Promise<void> {
    await (await this.tend()).forgetRefused(op);
  }

  async forgetLost(): Promise<void> {
    await (await this.tend()).forgetLost();
  }

  onChange(listener: () => void): () => void {
    this.#mirror.listeners.add(listener);
    return () => this.#mirror.listeners.delete(listener);
  }

  status(): SyncStatus {
    return this.#mirror.status();
  }

  async syncNow(): Promise<void> {
    await (await this.tend()).meet();
  }

  /** Who uses this device, as far as is known without the server. Whether anything goes out stays as it was. */
  showAs(account: string): void {
    this.#mirror.account = account;
  }

  /** Who uses the device, and all else that a first screen can wait for. */
  async tend(): Promise<Tender> {
    const { Tender } = await import('./tend');
    return (this.#tender ??= new Tender(this.#mirror, this.#options, (told) => this.#say(told)));
  }

  /** Try again soon: the window came back, or the network did. */
  nudge(): void {
    this.#tender?.nudge();
  }

  async close(): Promise<void> {
    this.#mirror.closed = true;
    this.#tender?.stop();
    this.#channel.close();
    await this.#mirror.looking;
    await this.#options.store.close();
  }

  /** Keep changes and tell the other tabs: see `Store.add`. */
  async write(
    space: string,
    drafts: readonly Draft[],
    more?: More,
    signed?: Signed,
  ): Promise<void> {
    const { store, platform } = this.#options;
    const mirror = this.#mirror;
    const add = (): Promise<void> => store.add(space, drafts, platform.now(), more, signed);
    await add().catch(async (error: unknown) => {
      await (await this.tend()).mend(error);
      await add();
    });
    mirror.full = false;
    const recs = drafts.map((draft) => (draft.k === 'event' ? draft.op : draft.rec));
    await mirror.look([[space, recs]]);
    const told: Told = { kind: 'changed', space, recs, wrote: true };
    this.#say(told);
    this.#tender?.hear(told);
  }

  // ── inside

  #hear(told: Told): void {
    const mirror = this.#mirror;
    const mend = async (error: unknown): Promise<void> => (await this.tend()).mend(error);
    if (told.kind === 'changed') mirror.look([[told.space, told.recs]]).catch(mend);
    if (told.kind === 'listed') mirror.list().catch(mend);
    if (told.kind === 'wiped') mirror.forgotten();
    if (told.kind === 'state') {
      mirror.shared = told.state;
      mirror.changed();
    }
    this.#tender?.hear(told);
  }

  #newId(): string {
    const { platform } = this.#options;
    return uuid7(platform.now(), platform.random);
  }

  #say(told: Told): void {
    if (!this.#mirror.closed) this.#channel.say(told);
  }
}
