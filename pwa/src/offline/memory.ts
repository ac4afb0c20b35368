/** A replica that lives in memory: for tests of screens and for the stage. Same door, no server. */
import type { Json, Replica, Row, SpaceInfo, SyncStatus } from './model';

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
  };

  constructor(author: string) {
    this.#author = author;
  }

  addSpace(space: Omit<SpaceInfo, 'arrived'>, { arrived = true } = {}): void {
    this.#spaces.push({ ...space, arrived });
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
    const rec = `00000000-0000-7000-8000-${String(++this.#made).padStart(12, '0')}`;
    await this.set(space, coll, rec, { v, by: this.#author });
    return rec;
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

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
