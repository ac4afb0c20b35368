/** One space in memory, as screens see it. Only ever filled with what was read from the disk. */
import type { StoredSpace } from './database';
import type { Proposal, Row, SpaceInfo } from './model';
import type { SpaceState } from './store';
import { fold, isProposal, recOf, type BaseRow, type Waiting } from './view';

export class SpaceView {
  #info: StoredSpace = { id: '', role: '', permissions: [], cursor: '' };
  readonly #base = new Map<string, BaseRow>();
  readonly #rows = new Map<string, Row>();
  #waiting: readonly Waiting[] = [];
  readonly #lists = new Map<string, readonly Row[]>();

  get info(): SpaceInfo {
    // What an older app kept are spaces of the kind there was.
    const { id, role, permissions, cursor, kind = 'resident', of = null } = this.#info;
    // A space that is fetched anew keeps its rows until the new ones are whole.
    return { id, role, permissions, kind, of, arrived: cursor !== '' || this.#base.size > 0 };
  }

  /** As it lies on the disk. */
  get stored(): StoredSpace {
    return this.#info;
  }

  get cursor(): string {
    return this.#info.cursor;
  }

  /** Take over a look at the disk: all of the space, or the records of `recs`. */
  show(state: SpaceState, recs: readonly string[] | null): void {
    if (state.info !== undefined) this.#info = state.info;
    const touched = new Set(recs ?? [...this.#base.keys(), ...this.#rows.keys()]);
    // A change that came or went touches its record, asked for or not.
    for (const { op } of [...this.#waiting, ...state.waiting]) touched.add(recOf(op));
    if (recs === null) this.#base.clear();
    for (const rec of recs ?? []) this.#base.delete(rec);
    for (const row of state.base) {
      this.#base.set(row.rec, row);
      touched.add(row.rec);
    }
    this.#waiting = state.waiting;
    const mine = new Map<string, Waiting[]>();
    for (const each of state.waiting)
      mine.set(recOf(each.op), [...(mine.get(recOf(each.op)) ?? []), each]);
    for (const rec of touched) this.#put(rec, fold(this.#base.get(rec), mine.get(rec) ?? []));
  }

  /** The same space with another role or permissions; its cursor goes with `show`. */
  rename(info: StoredSpace): void {
    this.#info = { ...info, cursor: this.#info.cursor };
  }

  rows(coll: string): readonly Row[] {
    const known = this.#lists.get(coll);
    if (known !== undefined) return known;
    const found: Row[] = [];
    for (const row of this.#rows.values()) {
      if (row.coll === coll && row.doc['deleted'] !== true) found.push(row);
    }
    this.#lists.set(coll, found);
    return found;
  }

  row(rec: string): Row | undefined {
    return this.#rows.get(rec);
  }

  proposals(coll: string): Proposal[] {
    const found: Proposal[] = [];
    for (const { op, at } of this.#waiting) {
      if (op.coll !== coll || !isProposal(op)) continue;
      const { k, rec, base } = op;
      const what = k === 'safety' ? { v: op.v, choose: null } : { v: null, choose: op.choose };
      found.push({ op: op.op, rec, k, base, at, ...what });
    }
    return found;
  }

  waiting(): readonly Waiting[] {
    return this.#waiting;
  }

  held(): { cursor: string; base: Iterable<BaseRow> } {
    return { cursor: this.#info.cursor, base: this.#base.values() };
  }

  #put(rec: string, row: Row | undefined): void {
    const before = this.#rows.get(rec);
    for (const each of [before, row]) if (each !== undefined) this.#lists.delete(each.coll);
    if (row === undefined) this.#rows.delete(rec);
    else this.#rows.set(rec, row);
  }
}
