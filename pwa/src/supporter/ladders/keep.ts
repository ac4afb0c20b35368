/** A resident's own ladders: read from the replica, and changed there. */
import { mos } from '../../app/mos.svelte';
import { readLadder, type Ladder, type Matter, type Step } from '../../care/ladder';
import { ladderId, written } from '../../care/ladder-form';
import type { Json } from '../../offline/model';

export function laddersOf(space: string): Ladder[] {
  return mos.replica
    .rows(space, 'ladder')
    .map(readLadder)
    .filter((ladder) => ladder !== null);
}

/** Answers how to take it back. */
export async function saveLadder(
  space: string,
  matter: Matter,
  steps: readonly Step[],
): Promise<() => Promise<void>> {
  const { category, criticality } = matter;
  const id = await ladderId(space, matter);
  const before = mos.replica.row(space, 'ladder', id);
  const set = (change: Record<string, Json>): Promise<void> =>
    mos.replica.set(space, 'ladder', id, { for: { category, criticality }, ...change });
  await set({ steps: steps.map(written) as unknown as Json, deleted: false });
  return () =>
    before === undefined
      ? set({ deleted: true })
      : set({
          steps: before.doc['steps'] ?? [],
          deleted: before.doc['deleted'] ?? false,
        });
}

/** What is wider holds again. Answers how to take it back. */
export async function removeLadder(space: string, matter: Matter): Promise<() => Promise<void>> {
  const { category, criticality } = matter;
  const id = await ladderId(space, matter);
  const set = (deleted: boolean): Promise<void> =>
    mos.replica.set(space, 'ladder', id, { for: { category, criticality }, deleted });
  await set(true);
  return () => set(false);
}
