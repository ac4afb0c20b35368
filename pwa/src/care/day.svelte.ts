/** The one place where a resident's records are read for a day: those of the plan, and those of the medicines, which lie in a
 *  space of their own for who may see them. */
import { mos } from '../app/mos.svelte';
import type { Row } from '../offline/model';
import { readReminder, type DaySource } from '../plan/day';
import type { Profile, Reminder } from '../plan/model';

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
    profile,
    reminders: remindersOf(space),
    completions: rowsOf(space, 'completion'),
    retracts: rowsOf(space, 'retract'),
    snoozes: rowsOf(space, 'snooze'),
    rangs: rowsOf(space, 'rang'),
  };
}

/** What the plan and the orders of medicine bring into the day, in no promised order. */
function remindersOf(space: string | null): Reminder[] {
  const medicines = medicinesOf(space);
  const orders = medicines === undefined ? [] : mos.replica.rows(medicines, 'order');
  return [
    ...rowsOf(space, 'reminder').map(readReminder),
    ...(orders.length > 0 ? planned(orders, medicines ?? '') : []),
  ];
}

type Planner = (orders: readonly Row[], space: string) => Reminder[];

const RETRY_MS = 5_000;
let planner = $state.raw<Planner>();
let asked = false;

/** What reads orders is fetched when there is first an order: most first screens have none. */
function planned(orders: readonly Row[], space: string): Reminder[] {
  if (!asked) void fetchPlanner();
  return planner?.(orders, space) ?? [];
}

async function fetchPlanner(): Promise<void> {
  asked = true;
  try {
    ({ planned: planner } = await import('../medication/planned'));
  } catch {
    // A medicine must not be left out for a network that failed once.
    setTimeout(() => void fetchPlanner(), RETRY_MS);
  }
}
