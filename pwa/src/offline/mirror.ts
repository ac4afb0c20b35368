/** What this tab shows. All of it is read back from the disk after a commit, in turn, so every tab shows exactly what is
 *  stored. */
import type { Refused, SyncStatus } from './model';
import { SpaceView } from './space-view';
import type { Store } from './store';

/** The part of the status that only the leading tab knows. */
export type Shared = Pick<SyncStatus, 'online' | 'lastSyncedAt' | 'skewMs' | 'trouble'>;

/** Records by space; `null`: all of it. */
export type Touched = Iterable<readonly [space: string, recs: readonly string[] | null]>;

/** What is counted on the disk now and then. */
export interface Counted {
  readonly refused: readonly Refused[];
  readonly lost: number;
  readonly others: number;
  readonly trouble: SyncStatus['trouble'];
  readonly left: SyncStatus['left'];
  /** How late it is and how long anything may be shown, for the day the disk forgets: `meta` by its keys. */
  readonly time?: readonly (readonly [key: string, value: unknown])[];
}

// Until the first meeting nothing says that there is no network: no screen tells so at each start.
export const UNMET: Shared = { online: true, lastSyncedAt: null, skewMs: 0, trouble: null };
const NONE: Counted = { refused: [], lost: 0, others: 0, trouble: null, left: null };

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
      for (const { seq, at, parked } of view.waiting()) {
        if (seq !== null || parked) continue;
        pending += 1;
        oldest = Math.min(oldest ?? at, at);
      }
    }
    const { refused, lost, others, trouble, left } = this.counted;
    return {
      ...this.shared,
      pending,
      oldestPendingAt: oldest,
      trouble:
        (this.outdated ? 'upgrade_required' : this.full ? 'storage_full' : trouble) ??
        this.shared.trouble ??
        (refused.length > 0 ? 'refused' : null),
      left,
      lost,
      waitingOthers: others,
    };
  }

  /** Read records again. */
  look(touched: Touched): Promise<void> {
    return this.#inTurn(async () => {
      for (const [space, recs] of touched) {
        const known = this.views.get(space);
        // Records of a space that was never read make no sense alone.
        const some = known === undefined ? null : recs;
        const state = await this.#store.look(space, some);
        const view = known ?? new SpaceView();
        view.show(state, some);
        if (state.info === undefined) this.views.delete(space);
        else this.views.set(space, view);
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
      else await this.look([[id, null]]);
    }
    this.changed();
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
