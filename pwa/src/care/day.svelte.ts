/** The one place where a resident's records are read for a day: those of the plan, and those of the medicines, which lie in a
 *  space of their own for who may see them. */
import { mos } from '../app/mos.svelte';
import type { Row } from '../offline/model';
import { dayOf as plainDay, readReminder, type At, type DaySource } from '../plan/day';
import type { Item, Profile, Reminder } from '../plan/model';

/** The resident's own space and those that belong to it. */
function spacesOf(space: string | null) {
  return mos.replica.spaces().filter(({ id, of }) => (of ?? id) === space);
}

/** All of the resident's records are on this device. */
export function hasArrived(space: string | null): boolean {
  const spaces = spacesOf(space);
  return spaces.length > 0 && spaces.every(({ arrived }) => arrived);
}

/** Where the resident's medicines lie; undefined for who may not see them. */
export function medicinesOf(space: string | null): string | undefined {
  return spacesOf(space).find(({ of }) => of !== null)?.id;
}

/** Records of a collection from all of the resident's spaces. */
export function rowsOf(space: string | null, coll: string): Row[] {
  return spacesOf(space).flatMap(({ id }) => mos.replica.rows(id, coll));
}

/** In which of the resident's spaces a record lies; the resident's own, where it is nowhere yet. */
export function whereIs(space: string, coll: string, rec: string): string {
  const found = spacesOf(space).find(({ id }) => mos.replica.row(id, coll, rec) !== undefined);
  return found?.id ?? space;
}

/** What a day is made of. */
export function sourceOf(space: string | null, profile: Profile): DaySource {
  return {
    space,
    profile,
    reminders: allReminders(space),
    completions: rowsOf(space, 'completion'),
    retracts: rowsOf(space, 'retract'),
    snoozes: rowsOf(space, 'snooze'),
    rangs: rowsOf(space, 'rang'),
  };
}

/** A resident's items on a local date. */
export function dayOf(source: DaySource, at: At): Item[] {
  return later?.dayOf(source, at) ?? plainDay(source, at);
}

/** What the plan and the orders of medicine bring into the day, in no promised order. */
export function allReminders(space: string | null): Reminder[] {
  asked ??= fetchLater();
  return [...rowsOf(space, 'reminder').map(reminderOf), ...(later?.planned(space) ?? [])];
}

/** A record is read once: it is another object when it has changed. */
const read = new WeakMap<Row, Reminder>();

function reminderOf(row: Row): Reminder {
  const known = read.get(row) ?? readReminder(row);
  read.set(row, known);
  return known;
}

const RETRY_MS = 5_000;
/** What reads orders, and what was answered under another plan: fetched once the first screen stands. */
let later = $state.raw<typeof import('./settled')>();
let asked: Promise<unknown> | undefined;

function fetchLater(): Promise<unknown> {
  return import('./settled').then(
    (found) => (later = found),
    // A medicine must not be left out for a network that failed once.
    () => setTimeout(fetchLater, RETRY_MS),
  );
}
