/** Doses that were recorded of one order. Pure: the rows are arguments. */
import { doubled, givenTwice, limitsOf } from '../../medication/doses';
import type { Json, Row } from '../../offline/model';
import type { Active, Candidate } from './conflict';

export interface Given {
  rec: string;
  occ: string;
  /** ms. */
  at: number;
  by: string;
  st: string;
  /** Who gave it, in the words of `by`; empty where that was not said. */
  givenBy: string;
  /** The version that was shown; null where it was not said. */
  ver: string | null;
  /** How much that said (`1.5 tablett`); empty where it was not written down. */
  written: string;
  /** What whoever gave it lacked; null for nothing. */
  lacked: 'delegation' | 'sign' | null;
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
        givenBy: text(v['given_by']),
        ver: text(v['ver']) || null,
        written: text(v['amount']),
        lacked: lackedIn(text(fieldsOf(doc['unentitled'])['why'])),
      };
    })
    .filter(({ occ }) => occ.slice(0, occ.lastIndexOf('@')) === order)
    .sort((a, b) => b.at - a.at);
}

function lackedIn(why: string): Given['lacked'] {
  return why === 'delegation' || why === 'sign' ? why : null;
}

/** A dose that was given in part was given. */
export function wasGiven({ st }: Pick<Given, 'st'>): boolean {
  return st === 'done' || st === 'partly';
}

/** Who gave this very occurrence first, and when; null while nobody has. */
export function givenBefore(recorded: readonly Given[], occ: string): Given | null {
  return recorded.filter((each) => each.occ === occ && wasGiven(each)).at(-1) ?? null;
}

/** Occurrences of which more was given than was ordered: twice at one time, or sooner or oftener than `holds` lets it. */
export function oneTooMany(
  recorded: readonly Given[],
  holds: Readonly<Record<string, unknown>>,
): Set<string> {
  const given = recorded.filter(wasGiven);
  const limits = limitsOf(holds);
  return new Set([
    ...givenTwice(given.map(({ occ }) => occ)),
    ...(limits === null ? [] : doubled(limits, given)),
  ]);
}

/** How much was given: as it was written down, or as the version says by which it was given; null where that version is not known here, or was not said. */
export function amountOf(
  { ver, written }: Pick<Given, 'ver' | 'written'>,
  known: {
    active: Pick<Active, 'ver' | 'v'> | null;
    /** All about the order, open and closed. */
    conflicts: readonly { candidates: readonly Pick<Candidate, 'op' | 'v'>[] }[];
  },
): { dose: string; unit: string } | null {
  const [dosed = '', ...rest] = written.split(' ');
  if (dosed !== '') return { dose: dosed, unit: rest.join(' ') };
  if (ver === null) return null;
  const candidates = known.conflicts.flatMap((each) => each.candidates);
  const v = known.active?.ver === ver ? known.active.v : candidates.find(({ op }) => op === ver)?.v;
  const [dose, unit] = [text(v?.['dose']), text(v?.['unit'])];
  return dose === '' ? null : { dose, unit };
}

function fieldsOf(value: Json | undefined): Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, Json>>)
    : {};
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
