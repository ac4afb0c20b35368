/** Doses that were recorded of one order. Pure: the rows are arguments. */
import type { Json, Row } from '../../offline/model';

export interface Given {
  rec: string;
  occ: string;
  /** ms. */
  at: number;
  by: string;
  st: string;
  /** The version that was shown; null where it was not said. */
  ver: string | null;
}

/** What was recorded of the order and not taken back, the latest first. */
export function recordedOf(
  order: string,
  { completions, retracts }: { completions: readonly Row[]; retracts: readonly Row[] },
): Given[] {
  const undone = new Set(retracts.map((row) => text(fieldsOf(row.doc['v'])['of'])));
  return completions
    .filter(({ rec }) => !undone.has(rec))
    .map(({ rec, doc }) => {
      const v = fieldsOf(doc['v']);
      return {
        ...{ rec, occ: text(v['occ']), by: text(doc['by']), st: text(v['st']) },
        at: Date.parse(text(v['at'])) || 0,
        ver: text(v['ver']) || null,
      };
    })
    .filter(({ occ }) => occ.slice(0, occ.lastIndexOf('@')) === order)
    .sort((a, b) => b.at - a.at);
}

/** A dose that was given in part was given. */
export function wasGiven({ st }: Pick<Given, 'st'>): boolean {
  return st === 'done' || st === 'partly';
}

/** Who gave this very occurrence first, and when; null while nobody has. */
export function givenBefore(recorded: readonly Given[], occ: string): Given | null {
  return recorded.filter((each) => each.occ === occ && wasGiven(each)).at(-1) ?? null;
}

function fieldsOf(value: Json | undefined): Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, Json>>)
    : {};
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
