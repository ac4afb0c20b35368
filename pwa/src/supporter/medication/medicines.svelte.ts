/** A resident's orders as screens show them, live from the replica: what holds, and what waits beside it. */
import { mos } from '../../app/mos.svelte';
import { medicinesOf } from '../../care/day.svelte';
import { may, type Permission } from '../../care/permissions';
import type { Order } from '../../medication/order';
import type { Proposal, Refused } from '../../offline/model';
import {
  activeOf,
  openConflict,
  readConflict,
  type Active,
  type Conflict,
  type Confirmed,
} from './conflict';
import { recordedOf, type Given } from './given';

/** A confirmed value, and all that waits to become it. */
export interface Confirmable {
  space: string;
  coll: Confirmed;
  rec: string;
  /** Null where nothing was ever confirmed. */
  active: Active | null;
  conflict: Conflict | null;
  /** This person's own proposals that have not come back from the server, the oldest first. */
  waiting: readonly Proposal[];
}

export interface Medicine extends Confirmable {
  /** What holds; where nothing does, what is proposed. */
  shown: Order;
}

export function confirmable(space: string, coll: Confirmed, rec: string): Confirmable {
  const active = activeOf(mos.replica.row(space, coll, rec));
  return {
    ...{ space, coll, rec, active },
    conflict: openConflict(mos.replica.rows(space, 'conflict'), { coll, rec, active }),
    waiting: mos.replica.proposals(space, coll).filter((each) => each.rec === rec),
  };
}

/** This person's own choices about a record that came too late or had not seen all, and of which they have not read. */
export function overtakenChoices(space: string, coll: Confirmed, rec: string): readonly Refused[] {
  return mos.replica
    .refused()
    .filter(
      (each) =>
        each.code === 'stale_resolve' &&
        each.space === space &&
        each.coll === coll &&
        each.rec === rec,
    );
}

/** The conflict about a record, open or closed, or null where there never was one. */
export function conflictOf(space: string, coll: Confirmed, rec: string): Conflict | null {
  const active = activeOf(mos.replica.row(space, coll, rec));
  return (
    mos.replica
      .rows(space, 'conflict')
      .map((row) => readConflict(row, active))
      .find((each) => each?.coll === coll && each.of === rec) ?? null
  );
}

/** What was decided last about a record that no conflict is open about, or null. */
export function lastDecision(space: string, coll: Confirmed, rec: string): Conflict | null {
  const found = mos.replica
    .rows(space, 'conflict')
    .map((row) => readConflict(row, null))
    .find((each) => each?.coll === coll && each.of === rec);
  return found?.open === false ? found : null;
}

/** Everybody's orders of the resident, by name. `home` is the resident's own space. */
export function medicines(home: string): Medicine[] {
  const space = medicinesOf(home);
  if (space === undefined) return [];
  const { replica } = mos;
  const recs = [
    ...replica.rows(space, 'order').map(({ rec }) => rec),
    ...replica.proposals(space, 'order').map(({ rec }) => rec),
    ...replica
      .rows(space, 'conflict')
      .map((row) => readConflict(row, null))
      .flatMap((each) => (each?.open && each.coll === 'order' ? [each.of] : [])),
  ];
  return recs
    .filter((rec, index) => recs.indexOf(rec) === index)
    .flatMap((rec) => medicine(space, rec) ?? [])
    .sort((a, b) => a.shown.drug.localeCompare(b.shown.drug) || (a.rec < b.rec ? -1 : 1));
}

/** Null where this release can show no version of it. */
export function medicine(space: string, rec: string): Medicine | null {
  const found = confirmable(space, 'order', rec);
  const values = [
    found.active?.v,
    found.waiting.findLast(({ v }) => v !== null)?.v,
    found.conflict?.candidates.at(-1)?.v,
  ];
  const shown = values.find(isOrder);
  return shown === undefined ? null : { ...found, shown: shown as unknown as Order };
}

function isOrder(v: unknown): v is Readonly<Record<string, unknown>> {
  if (typeof v !== 'object' || v === null) return false;
  const { kind, drug } = v as Record<string, unknown>;
  return typeof drug === 'string' && (kind === 'times' || kind === 'as_needed');
}

/** What was recorded of one order, the latest first. */
export function recorded(space: string, order: string): Given[] {
  return recordedOf(order, {
    completions: mos.replica.rows(space, 'completion'),
    retracts: mos.replica.rows(space, 'retract'),
  });
}

/** What the signed-in person may do in one of the resident's spaces. */
export function mayIn(space: string, permission: Permission): boolean {
  return may(mos.replica.spaces().find(({ id }) => id === space)?.permissions, permission);
}
