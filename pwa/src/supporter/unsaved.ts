/** What could not be saved, wherever it was written: what it was, why, and how it is written anew. */
import type { Key } from '../app/i18n.svelte';
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
const KNOWN = [...EVENTS, ...CONFIRMED, 'reminder', 'profile', 'alert'];

/** A refused choice between versions: it is made again where the versions are shown. */
export function isChoice({ what }: Unsaved): boolean {
  return isGroups(what) && 'choose' in what;
}

/** Whether the same change can be written once more. */
export function canRepeat(unsaved: Unsaved): boolean {
  const { coll, rec, what } = unsaved;
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
    await mos.replica.safety(space, coll, rec, value);
  else if (rec !== null) await mos.replica.set(space, coll, rec, groups);
}

/** The value of an event or a proposal, or null. */
export function valueOf(what: Json): Record<string, Json> | null {
  const v = isGroups(what) ? what['v'] : undefined;
  return v !== undefined && isGroups(v) ? { ...v } : null;
}

function isGroups(what: Json): what is Groups {
  return typeof what === 'object' && what !== null && !Array.isArray(what);
}

const WHY: Readonly<Record<string, Key>> = {
  permission: 'supporter.unsaved.why.permission',
  no_access: 'supporter.unsaved.why.ended',
  session: 'supporter.unsaved.why.ended',
  revoked: 'supporter.unsaved.why.ended',
  second_signer: 'supporter.unsaved.why.second',
  frozen: 'supporter.unsaved.why.frozen',
  too_old: 'supporter.unsaved.why.old',
  too_large: 'supporter.unsaved.why.large',
  too_deep: 'supporter.unsaved.why.large',
  too_long: 'supporter.unsaved.why.large',
  group: 'supporter.unsaved.why.together',
  not_seen: 'supporter.unsaved.why.changed',
  stale_resolve: 'supporter.unsaved.why.changed',
  check_failed: 'supporter.unsaved.why.server',
  hook_failed: 'supporter.unsaved.why.server',
};

/** Why, in plain words: a key that may want `code`. */
export function whyKey({ code }: Unsaved): Key {
  return WHY[code] ?? 'supporter.unsaved.why.unreadable';
}
