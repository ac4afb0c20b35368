/** What holds of a resident's food while people are at odds over it, and what was eaten meanwhile, live from the replica. */
import { mos } from '../../app/mos.svelte';
import { substanceName, whatCounts, type Allergy, type Lowering } from '../../meals/allergy';
import type { Json } from '../../offline/model';
import type { Given } from './given';
import { recorded } from './medicines.svelte';

type Fields = Readonly<Record<string, Json>>;

/** An allergy as somebody wrote it down. */
export interface WrittenAllergy {
  readonly severity: string;
  readonly source: string;
  readonly by: string;
  /** ms. */
  readonly at: number;
}

/** How severe the substance of `lowering` is once that is decided; null: it does not count. */
export function countsWith(space: string, lowering: Fields): string | null {
  const allergies = Object.fromEntries(allergiesOf(space).map(({ rec, v }) => [rec, v]));
  const decision = lowering as unknown as Lowering;
  return whatCounts(allergies, [decision])[substanceName(decision)] ?? null;
}

/** What counts of a substance where nobody has decided about it: the severest that was written down, the latest of those. */
export function writtenOf(space: string, of: Fields): WrittenAllergy | null {
  const name = substanceName(of);
  const all = allergiesOf(space).filter(({ v }) => substanceName(v) === name);
  const severity = whatCounts(Object.fromEntries(all.map(({ rec, v }) => [rec, v])), [])[name];
  const found = all
    .filter(({ v }) => v.severity === severity)
    .map(({ v, by }) => ({ ...v, by, at: Date.parse(v.at) || 0 }))
    .sort((a, b) => b.at - a.at)[0];
  return found ?? null;
}

/** Meals that were recorded since `since` (ms), each with its name, the latest first. */
export function eatenSince(space: string, since: number): (Given & { what: string })[] {
  return mos.replica
    .rows(space, 'reminder')
    .filter(({ doc }) => doc['category'] === 'meal')
    .flatMap(({ rec, doc }) =>
      recorded(space, rec).map((given) => ({ ...given, what: text(doc['title']) })),
    )
    .filter(({ at }) => at >= since)
    .sort((a, b) => b.at - a.at);
}

function allergiesOf(
  space: string,
): { rec: string; by: string; v: Allergy & { source: string; at: string } }[] {
  return mos.replica.rows(space, 'allergy').map(({ rec, doc }) => ({
    ...{ rec, by: text(doc['by']) },
    v: doc['v'] as unknown as Allergy & { source: string; at: string },
  }));
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
