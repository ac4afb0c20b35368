/** What a screen sees of a space: the server's records with this device's unsettled changes on top. Pure. */
import { NEVER } from './hlc';
import type { Json, Row } from './model';
import type { Check, Op } from './protocol';

/** A record as the server last told it. */
export interface BaseRow {
  readonly space: string;
  readonly coll: string;
  readonly rec: string;
  readonly seq: number;
  readonly doc: Readonly<Record<string, Json>>;
  readonly clk: Readonly<Record<string, string>>;
}

/** A change of this device whose result has not come back by a pull yet. */
export interface Waiting {
  readonly space: string;
  readonly n: number;
  readonly op: Op;
  /** When it was made, ms since 1970 by this device. */
  readonly at: number;
  /** Its place once the server has it; until the pull has passed that place it stays on top (no flicker). */
  readonly seq: number | null;
  /** The server could not even read it; kept for a newer app. */
  readonly parked: boolean;
}

export function recOf(op: Op): string {
  return op.k === 'event' ? op.op : op.rec;
}

export function groupsOf(op: Op, account: string): Readonly<Record<string, Json>> {
  // The server will write `by` from the session; until then it is whoever uses this device.
  return op.k === 'event' ? { v: op.v, by: account } : op.f;
}

/** One record: a group shows this device's value exactly when its clock is later than the server's. */
export function fold(
  base: BaseRow | undefined,
  waiting: readonly Waiting[],
  account: string,
): Row | undefined {
  const first = waiting[0];
  if (first === undefined) return base && { ...pick(base), doc: base.doc, pending: false };
  const doc: Record<string, Json> = { ...base?.doc };
  const clk: Record<string, string> = { ...base?.clk };
  for (const { op } of waiting) {
    for (const [group, value] of Object.entries(groupsOf(op, account))) {
      if (op.hlc <= (clk[group] ?? NEVER)) continue;
      doc[group] = value;
      clk[group] = op.hlc;
    }
  }
  const place =
    base === undefined ? { coll: first.op.coll, rec: recOf(first.op), seq: 0 } : pick(base);
  return { ...place, doc, pending: waiting.some(({ seq }) => seq === null) };
}

function pick({ coll, rec, seq }: BaseRow): { coll: string; rec: string; seq: number } {
  return { coll, rec, seq };
}

/** The fingerprint that a pull is compared with: how many records are not deleted, Σ seq, Σ seq² mod 2⁵³. */
export function fingerprint(rows: Iterable<BaseRow>): Check {
  let n = 0;
  let sum = 0n;
  let squares = 0n;
  for (const { seq, doc } of rows) {
    if (doc['deleted'] === true) continue;
    n += 1;
    sum += BigInt(seq);
    squares += BigInt(seq) * BigInt(seq);
  }
  return { n, sum: String(sum), sq: String(squares % 2n ** 53n) };
}
