/** What this tab shows. All of it is read back from the disk after a commit, in turn, so every tab shows exactly what is
 *  stored. */
import type { Refused, SyncStatus } from './model';
import { SpaceView } from './space-view';
import type { Store } from './store';

/** The part of the status that only the leading tab knows. */
export type Shared = Pick<SyncStatus, 'online' | 'lastSyncedAt' | 'skewMs' | 'trouble'>;

/** What is counted on the disk now and then. */
export interface Counted {
  readonly refused: readonly Refused[];
  readonly lost: number;
  readonly others: number;
  readonly trouble: SyncStatus['trouble'];
}

// Until the first meeting nothing says that there is no network: no screen tells so at each start.
export const UNMET: Shared = { online: true, lastSyncedAt: null, skewMs: 0, trouble: null };
const NONE: Counted = { refused: [], lost: 0, others: 0, trouble: null };

export class Mirror {
  readonly views = new Map<string, SpaceView>();
  readonly listeners = new Set<() => void>();
  readonly #store: Store;
  readonly #onWiped: () => void;
  /** Looks at the disk happen one after another: a later look never loses to an earlier one. */
  looking: Promise<unknown> = Promise.resolve();
  account = '';
  closed = false;
  full = false;
  /** A newer app in another tab has taken the store over. */
  outdated = false;
  shared = UNMET;
  counted = NONE;

  constructor(store: Store, onWiped: () => void) {
    this.#store = store;
    this.#onWiped = onWiped;
  }

  status(): SyncStatus {
    let pending = 0;
    let oldest: number | null = null;
    for (const view of this.views.values()) {
      for (const { seq, at } of view.waiting()) {
        if (seq !== null) continue;
        pending += 1;
        oldest = Math.min(oldest ?? at, at);
      }
    }
    const { refused, lost, others, trouble } = this.counted;
    return {
      ...this.shared,
      pending,
      oldestPendingAt: oldest,
      trouble:
        (this.outdated ? 'upgrade_required' : this.full ? 'storage_full' : trouble) ??
        this.shared.trouble ??
        (refused.length > 0 ? 'refused' : null),
      lost,
      waitingOthers: others,
    };
  }

  /** Read records of a space again; `null`: all of it. */
  look(space: string, recs: readonly string[] | null): Promise<void> {
    return this.#inTurn(async () => {
      // Records of a space that was never read make no sense alone.
      const whole = recs === null || !this.views.has(space);
      const state = await this.#store.look(space, whole ? null : recs);
      if (state.info === undefined) this.views.delete(space);
      else {
        const view = this.views.get(space) ?? new SpaceView();
        view.show(state, whole ? null : recs, this.account);
        this.views.set(space, view);
      }
    });
  }

  async list(): Promise<void> {
    const stored = await this.#store.spaces();
    const known = new Set(stored.map(({ id }) => id));
    for (const id of new Set([...known, ...this.views.keys()])) {
      const view = this.views.get(id);
      const info = stored.find((each) => each.id === id);
      if (view !== undefined && info !== undefined) view.rename(info);
      else await this.look(id, null);
    }
    this.changed();
  }

  async showAs(account: string): Promise<void> {
    if (account === this.account) return;
    this.account = account;
    await Promise.all([...this.views.keys()].map((space) => this.look(space, null)));
  }

  /** Everything was forgotten, here or in another tab. */
  forgotten(): void {
    this.views.clear();
    this.shared = { ...UNMET, online: this.shared.online };
    this.counted = NONE;
    this.#onWiped();
    this.changed();
  }

  changed(): void {
    for (const listener of this.listeners) listener();
  }

  #inTurn(look: () => Promise<void>): Promise<void> {
    const turn = this.looking.then(async () => {
      if (this.closed) return;
      await look();
      this.changed();
    });
    this.looking = turn.catch(() => undefined);
    return turn;
  }
}
