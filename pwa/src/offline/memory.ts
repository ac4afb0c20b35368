/** A replica that lives in memory: for tests of screens and for the stage. Same door, no server. */
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

export class MemoryReplica implements Replica {
  readonly #spaces: SpaceInfo[] = [];
  readonly #rows = new Map<string, Row>();
  readonly #listeners = new Set<() => void>();
  readonly #author: string;
  #made = 0;
  state: SyncStatus = {
    online: true,
    pending: 0,
    oldestPendingAt: null,
    lastSyncedAt: null,
    skewMs: 0,
    trouble: null,
    left: null,
    lost: 0,
    waitingOthers: 0,
  };
  /** What a screen is to find; nothing here is ever sent or settled by itself. */
  waiting: { space: string; coll: string; proposal: Proposal }[] = [];
  refusals: Refused[] = [];

  constructor(author: string) {
    this.#author = author;
  }

  addSpace(
    space: Pick<SpaceInfo, 'id' | 'role' | 'permissions'> & Partial<SpaceInfo>,
    { arrived = true } = {},
  ): void {
    this.#spaces.push({ kind: 'resident', of: null, ...space, arrived });
  }

  spaces(): readonly SpaceInfo[] {
    return this.#spaces;
  }

  rows(space: string, coll: string): readonly Row[] {
    const found = [];
    for (const [key, row] of this.#rows) {
      if (key.startsWith(`${space}/${coll}/`) && row.doc['deleted'] !== true) found.push(row);
    }
    return found;
  }

  row(space: string, coll: string, rec: string): Row | undefined {
    return this.#rows.get(`${space}/${coll}/${rec}`);
  }

  async set(space: string, coll: string, rec: string, groups: Record<string, Json>): Promise<void> {
    const key = `${space}/${coll}/${rec}`;
    const doc = { ...this.#rows.get(key)?.doc, ...groups };
    this.#rows.set(key, { coll, rec, seq: ++this.#made, doc, pending: false });
    this.#tell();
  }

  async event(space: string, coll: string, v: Record<string, Json>): Promise<string> {
    const rec = this.#newId();
    await this.set(space, coll, rec, { v, by: this.#author });
    return rec;
  }

  async group(space: string, writes: readonly Write[]): Promise<void> {
    for (const write of writes) {
      if (write.k === 'set') await this.set(space, write.coll, write.rec, write.groups);
      else await this.event(space, write.coll, write.v);
    }
  }

  async safety(space: string, coll: string, rec: string, { v, base }: Value): Promise<string> {
    return this.#propose(space, coll, { rec, k: 'safety', v, choose: null, base });
  }

  async resolve(
    space: string,
    coll: string,
    rec: string,
    { base, choose }: Choice,
  ): Promise<string> {
    return this.#propose(space, coll, { rec, k: 'resolve', v: null, choose, base });
  }

  proposals(space: string, coll: string): readonly Proposal[] {
    return this.waiting
      .filter((each) => each.space === space && each.coll === coll)
      .map(({ proposal }) => proposal);
  }

  refused(): readonly Refused[] {
    return this.refusals;
  }

  async forgetRefused(op: string): Promise<void> {
    this.refusals = this.refusals.filter((each) => each.op !== op);
    this.#tell();
  }

  async forgetLost(): Promise<void> {
    this.state = { ...this.state, lost: 0 };
    this.#tell();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): SyncStatus {
    return this.state;
  }

  async syncNow(): Promise<void> {
    this.#tell();
  }

  #propose(space: string, coll: string, what: Omit<Proposal, 'op' | 'at'>): string {
    const op = this.#newId();
    this.waiting = [...this.waiting, { space, coll, proposal: { ...what, op, at: Date.now() } }];
    this.#tell();
    return op;
  }

  #newId(): string {
    return `00000000-0000-7000-8000-${String(++this.#made).padStart(12, '0')}`;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
