/** What could not be saved, wherever it was written: what it was, why, and how it is written anew. */
import { has, t, type Key } from '../app/i18n.svelte';
import { mos } from '../app/mos.svelte';
import type { Json } from '../offline/model';

/** One change that the server refused. */
export interface Unsaved {
  readonly op: string;
  readonly space: string;
  readonly coll: string;
  /** The record that was to be changed; null where that is not known. */
  readonly rec: string | null;
  /** Values by group; anything, of what could not be read. */
  readonly what: Json;
  readonly code: string;
  readonly verdict?: string;
  /** Nothing of what was written is kept on this device: its space is gone from here. */
  readonly bare?: true;
}

/** As the server lists it (GET residents/…/quarantine). */
export interface Quarantined extends Unsaved {
  readonly by: string | null;
  readonly device: string;
  readonly received_at: string;
  readonly handled: { how: 'again' | 'dropped'; by: string; at: string } | null;
}

export interface Quarantine {
  readonly ops: readonly Quarantined[];
  readonly lost: readonly { device: string; count: number; noticed_at: string }[];
  readonly more: boolean;
}

type Groups = Readonly<Record<string, Json>>;

const EVENTS = ['completion', 'retract', 'snooze', 'rang', 'help', 'allergy'];
const CONFIRMED = ['order', 'allergy_lowering', 'texture'];
const KNOWN = [...EVENTS, ...CONFIRMED, 'reminder', 'profile', 'alert', 'ladder'];

/** A refused choice between versions: it is made again where the versions are shown. */
export function isChoice({ what }: Unsaved): boolean {
  return isGroups(what) && 'choose' in what;
}

/** Whether the same change can be written once more. */
export function canRepeat(unsaved: Unsaved): boolean {
  const { coll, rec, what, bare } = unsaved;
  if (bare || REWRITE.includes(whyOf(unsaved))) return false;
  if (!KNOWN.includes(coll) || !isGroups(what) || isChoice(unsaved)) return false;
  return EVENTS.includes(coll) || CONFIRMED.includes(coll)
    ? valueOf(what) !== null && named(coll, rec)
    : rec !== null;
}

/** An event makes its own record. */
function named(coll: string, rec: string | null): boolean {
  return EVENTS.includes(coll) || rec !== null;
}

/** The same change anew, by whoever is signed in. Resolves when it is stored on this device. */
export async function repeat({ space, coll, rec, what }: Unsaved): Promise<void> {
  const groups = what as Record<string, Json>;
  const value = valueOf(groups);
  if (value !== null && EVENTS.includes(coll)) await mos.replica.event(space, coll, value);
  else if (value !== null && rec !== null && CONFIRMED.includes(coll))
    // Written for what held then: where something else holds now, somebody chooses between the two. Of an older app's
    // it is not known, so it was for nothing.
    await mos.replica.safety(space, coll, rec, { v: value, base: baseOf(groups) });
  else if (rec !== null) await mos.replica.set(space, coll, rec, groups);
}

/** The value of an event or a proposal, or null. */
export function valueOf(what: Json): Record<string, Json> | null {
  const v = isGroups(what) ? what['v'] : undefined;
  return v !== undefined && isGroups(v) ? { ...v } : null;
}

function baseOf(groups: Groups): string | null {
  const base = groups['base'];
  return typeof base === 'string' ? base : null;
}

function isGroups(what: Json): what is Groups {
  return typeof what === 'object' && what !== null && !Array.isArray(what);
}

type Why =
  Extract<Key, `supporter.unsaved.why.${string}`> extends `supporter.unsaved.why.${infer W}`
    ? W
    : never;

/** By the server's code; see docs/sync.md. */
export const WHYS: Readonly<Record<string, Why>> = {
  permission: 'permission',
  no_access: 'ended',
  session: 'session',
  revoked: 'ended',
  erased: 'erased',
  second_signer: 'second',
  frozen: 'frozen',
  too_old: 'old',
  too_large: 'large',
  too_deep: 'large',
  too_long: 'large',
  group: 'together',
  not_seen: 'changed',
  stale_resolve: 'changed',
  undone: 'undone',
  parked: 'parked',
  conflict_full: 'full',
  check_failed: 'server',
  hook_failed: 'server',
  rec_taken: 'place',
  named: 'place',
  unknown_record: 'unknown',
  malformed: 'unreadable',
  unknown_kind: 'unreadable',
  unknown_collection: 'unreadable',
  kind: 'unreadable',
  schema: 'app',
  nul: 'signs',
  control: 'signs',
  // What a collection's own check says of a field.
  missing: 'lacking',
  empty: 'lacking',
  out_of_range: 'range',
  backwards: 'range',
  too_many: 'large',
  unknown: 'unreadable',
};

/** Tried again, it would be refused again. */
const STUCK: readonly Why[] = [
  'permission',
  'ended',
  'erased',
  'second',
  'frozen',
  'full',
  'unknown',
  'parked',
];

/** Whoever tried it again, it would be refused again: it has to be written otherwise. */
const REWRITE: readonly Why[] = ['lacking', 'range', 'large', 'signs', 'check', 'unreadable'];

type Judged = Pick<Unsaved, 'code' | 'verdict'>;

function whyOf({ code, verdict }: Judged): Why {
  // The same word for two things: a group of changes, and a part of a record that is not theirs to write.
  if (code === 'group' && verdict === 'forbidden') return 'permission';
  // Whatever else a collection's own check said.
  return WHYS[code] ?? 'check';
}

/** Why, in plain words. */
export function whyKey(judged: Judged): Key {
  return `supporter.unsaved.why.${whyOf(judged)}`;
}

/** What its author does about it now: a key that may want `names`, of whom to ask. */
export function adviceKey(judged: Judged): Key {
  return `supporter.unsaved.advice.${whyOf(judged)}`;
}

/** Who leads here, by name; where nobody does, who manages accounts. Not whoever reads. */
export function whomToAsk(): string[] {
  const others = (mos.session?.people ?? []).filter(({ id }) => id !== mos.session?.account.id);
  const named = (role: string): string[] =>
    others.filter((each) => each.role === role).map(({ name }) => name);
  const managers = named('manager');
  return managers.length > 0 ? managers : named('admin');
}

/** A change by its kind alone, where what it was about is not known. */
export function kindWords(coll: string): string {
  const keys = [`supporter.unsaved.kind.${coll}`, `supporter.unsaved.what.${coll}`];
  const key = keys.find((each) => has(each));
  return key === undefined ? t('supporter.unsaved.what.another') : t(key);
}

export function isStuck(judged: Judged): boolean {
  const why = whyOf(judged);
  return STUCK.includes(why) || REWRITE.includes(why);
}
