/** Conflicts about a confirmed value, as their records hold them, and what differs between versions. Pure. */
import type { Json, Row } from '../../offline/model';

type Fields = Readonly<Record<string, Json>>;

/** The collections whose values are confirmed by people. */
export const CONFIRMED = ['order', 'allergy_lowering', 'texture'] as const;
export type Confirmed = (typeof CONFIRMED)[number];

/** What holds now. */
export interface Active {
  ver: string;
  v: Fields;
  by: string;
  /** ms. */
  at: number;
  second: string | null;
}

export type Why = 'open' | 'base' | 'unconfirmed' | 'second' | 'late' | 'decided';

export interface Candidate {
  op: string;
  v: Fields;
  by: string;
  /** When its author wrote it, by their clock, and when it came here (ms). */
  made: number;
  at: number;
  why: Why;
  /** Two people have to agree on it. */
  second: boolean;
  /** What its author had seen: the active version, an older one, another proposal, or none. */
  saw: 'active' | 'older' | 'proposal' | 'nothing';
}

export interface Conflict {
  rec: string;
  coll: Confirmed;
  /** The record it is about. */
  of: string;
  open: boolean;
  openedAt: number;
  /** The oldest first. */
  candidates: readonly Candidate[];
  resolved: { by: string; at: number; chose: string | null; why: string; op: string } | null;
}

export function activeOf(row: Row | undefined): Active | null {
  const active = fieldsOf(row?.doc['active']);
  const ver = text(active['ver']);
  if (ver === '') return null;
  return {
    ver,
    v: fieldsOf(active['v']),
    by: text(active['by']),
    at: moment(active['at']),
    second: text(active['second']) || null,
  };
}

/** The conflict of a record, or null for one of a collection that this release does not know. */
export function readConflict(row: Row, active: Active | null): Conflict | null {
  const { doc } = row;
  const of = fieldsOf(doc['of']);
  const coll = CONFIRMED.find((each) => each === of['coll']);
  if (coll === undefined) return null;
  const held = fieldsOf(doc['candidates']);
  const candidates = Object.entries(held)
    .map(([op, value]) => candidateOf(op, fieldsOf(value), { held, active }))
    .sort((a, b) => a.made - b.made || (a.op < b.op ? -1 : 1));
  const resolved = fieldsOf(doc['resolved']);
  return {
    rec: row.rec,
    coll,
    of: text(of['rec']),
    open: doc['state'] === 'open',
    openedAt: moment(fieldsOf(doc['opened'])['at']),
    candidates,
    resolved:
      text(resolved['op']) === ''
        ? null
        : {
            by: text(resolved['by']),
            at: moment(resolved['at']),
            chose: text(resolved['chose']) || null,
            why: text(resolved['why']),
            op: text(resolved['op']),
          },
  };
}

const WHYS: readonly Why[] = ['open', 'base', 'unconfirmed', 'second', 'late', 'decided'];

function candidateOf(
  op: string,
  value: Fields,
  { held, active }: { held: Fields; active: Active | null },
): Candidate {
  const base = text(value['base']);
  const was = Array.isArray(value['was']) ? (value['was'] as readonly Json[]) : [];
  const known = [...Object.keys(held), ...was];
  return {
    op,
    v: fieldsOf(value['v']),
    by: text(value['by']),
    made: moment(value['made']),
    at: moment(value['at']),
    why: WHYS.find((each) => each === value['why']) ?? 'base',
    second: value['second'] === true || value['why'] === 'second',
    saw:
      base === ''
        ? 'nothing'
        : base === active?.ver
          ? 'active'
          : known.includes(base)
            ? 'proposal'
            : 'older',
  };
}

/** The open conflict about a record, or null. */
export function openConflict(
  conflicts: readonly Row[],
  { coll, rec, active }: { coll: string; rec: string; active: Active | null },
): Conflict | null {
  const found = conflicts
    .map((row) => readConflict(row, active))
    .find((each) => each?.coll === coll && each.of === rec && each.open);
  return found ?? null;
}

/** The latest version of a confirmed value that whoever reads has before them: their own proposal, waiting or in an open
 *  conflict, else what holds; null for none. What they write from it says so (`Value` of the replica). */
export function versionSeen(
  {
    waiting,
    conflict,
    active,
  }: {
    waiting: readonly { op: string; v: Json }[];
    conflict: Conflict | null;
    active: Active | null;
  },
  me: string,
): string | null {
  const own = conflict?.open ? conflict.candidates.findLast(({ by }) => by === me) : undefined;
  return waiting.findLast(({ v }) => v !== null)?.op ?? own?.op ?? active?.ver ?? null;
}

/** What became of somebody's own choice that came too late, or had not seen all. */
export interface Overtaken {
  /** Proposals that had come and were not seen; their conflict is still open. */
  open: boolean;
  unseen: readonly string[];
  /** Who decided instead, if somebody has. */
  decided: NonNullable<Conflict['resolved']> | null;
  /** What was chosen: just what holds now, what held then, another version, or one that is no longer there. */
  own: 'same' | 'kept' | 'other' | 'gone';
  /** The version that was chosen, where it is another one. */
  v: Fields | null;
}

/** `what`: the choice as its author's device keeps it. `conflict`: that of the record, open or closed. */
export function overtaken(
  what: Fields,
  { conflict, active }: { conflict: Conflict | null; active: Active | null },
): Overtaken {
  const choose = text(what['choose']);
  const seen = Array.isArray(what['seen']) ? (what['seen'] as readonly Json[]) : [];
  const open = conflict?.open === true;
  const decided = open ? null : (conflict?.resolved ?? null);
  const candidate = conflict?.candidates.find(({ op }) => op === choose) ?? null;
  const kept = choose === text(what['base']);
  const same = decided !== null ? (decided.chose ?? '') === choose : choose === (active?.ver ?? '');
  return {
    open,
    unseen: open ? conflict.candidates.flatMap(({ op }) => (seen.includes(op) ? [] : [op])) : [],
    decided,
    own: same && !open ? 'same' : kept ? 'kept' : candidate !== null ? 'other' : 'gone',
    v: candidate?.v ?? null,
  };
}

/** Who may not make this candidate the active one alone: whoever proposed it, when it takes two. */
export function needsAnother(
  { second, by }: Pick<Candidate, 'second' | 'by'>,
  me: string,
): boolean {
  return second && by === me;
}

// ───────────────────────────────────────────────────────────── word by word

export interface Part {
  text: string;
  is: 'same' | 'new' | 'gone';
}

/** What became of a text: the words that stayed, those that are new, and those that are gone, in reading order. */
export function differing(before: string, after: string): Part[] {
  const [a, b] = [wordsOf(before), wordsOf(after)];
  const common = longest(a, b);
  const parts: Part[] = [];
  const add = (text: string, is: Part['is']): void => {
    const last = parts.at(-1);
    if (last?.is === is) last.text += ` ${text}`;
    else parts.push({ text, is });
  };
  let [i, j] = [0, 0];
  for (const word of [...common, null]) {
    while (i < a.length && a[i] !== word) add(a[i++] ?? '', 'gone');
    while (j < b.length && b[j] !== word) add(b[j++] ?? '', 'new');
    if (word !== null) {
      add(word, 'same');
      i += 1;
      j += 1;
    }
  }
  return parts;
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/u).filter(Boolean);
}

/** The longest row of words that both have, in order. */
function longest(a: readonly string[], b: readonly string[]): string[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  const at = (i: number, j: number): number => table[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      (table[i] as Uint16Array)[j] =
        a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const found: string[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) {
      found.push(a[i] ?? '');
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return found;
}

// ───────────────────────────────────────────────────────────── reading

function fieldsOf(value: Json | undefined): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** ms; 0 for what is no moment. */
function moment(value: Json | undefined): number {
  const ms = Date.parse(text(value));
  return Number.isNaN(ms) ? 0 : ms;
}
