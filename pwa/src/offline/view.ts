/** What a screen sees of a space: the server's records with this device's unsettled changes on top. Pure. */
import { NEVER } from './hlc';
import type { Json, Row } from './model';
import type { Check, EventOp, Op, ResolveOp, SafetyOp, SetOp } from './protocol';

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
  /** The server could not even read it: it is put aside, told to its author, and tried now and then. */
  readonly parked: boolean;
  /** Since when, and when last, ms, it could not be read alone, as which version of the app sent it; `read`: its author knows. */
  readonly unread?: {
    readonly since: number;
    readonly at: number;
    readonly app: string;
    readonly read?: boolean;
  };
  /** The server had answered it, and has lost that since. */
  readonly again?: boolean | undefined;
  /** Whose it is, and in which of their sessions it was made. Absent where an older app wrote it. */
  readonly by?: string | undefined;
  readonly sid?: string | undefined;
  /** Who was signed in where somebody else signed it by a PIN: they see it, too. */
  readonly beside?: string | undefined;
}

/** It changes no record until somebody confirms it: what is shown stays the confirmed value. */
export function isProposal(op: Op): op is SafetyOp | ResolveOp {
  return op.k === 'safety' || op.k === 'resolve';
}

export function recOf(op: Op): string {
  return op.k === 'event' ? op.op : op.rec;
}

function groupsOf(op: SetOp | EventOp, by = ''): Readonly<Record<string, Json>> {
  // The server will write the same, from the session.
  return op.k === 'event' ? { v: op.v, by } : op.f;
}

/** One record: a group shows this device's value exactly when its clock is later than the server's. */
export function fold(base: BaseRow | undefined, waiting: readonly Waiting[]): Row | undefined {
  const laid = waiting.filter(({ op }) => !isProposal(op));
  const first = laid[0];
  if (first === undefined) return base && { ...pick(base), doc: base.doc, pending: false };
  const doc: Record<string, Json> = { ...base?.doc };
  const clk: Record<string, string> = { ...base?.clk };
  for (const { op, by } of laid) {
    if (isProposal(op)) continue;
    for (const [group, value] of Object.entries(groupsOf(op, by))) {
      if (op.hlc <= (clk[group] ?? NEVER)) continue;
      doc[group] = value;
      clk[group] = op.hlc;
    }
  }
  const place =
    base === undefined ? { coll: first.op.coll, rec: recOf(first.op), seq: 0 } : pick(base);
  return { ...place, doc, pending: laid.some(({ seq }) => seq === null) };
}

function pick({ coll, rec, seq }: BaseRow): { coll: string; rec: string; seq: number } {
  return { coll, rec, seq };
}

/** The fingerprint that a pull is compared with: how many records are not deleted, Σ seq, Σ seq² mod 2⁵³. */
export function fingerprint(rows: Iterable<Pick<BaseRow, 'seq' | 'doc'>>): Check {
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
