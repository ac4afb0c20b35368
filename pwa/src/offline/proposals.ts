/** What is written rarely: several changes as one, and proposals for a confirmed value. */
import type { Json, Write } from './model';
import type { Draft, More } from './store';

const GROUP_MAX = 50;

/** The changes of a group. Fails with a `RangeError` when there are too many to be taken as one. */
export function drafts(writes: readonly Write[], newId: () => string): Draft[] {
  if (writes.length > GROUP_MAX) throw new RangeError(`At most ${GROUP_MAX} changes in a group.`);
  return writes.map((write) =>
    write.k === 'set'
      ? { op: newId(), k: 'set', coll: write.coll, rec: write.rec, f: write.groups }
      : { op: newId(), k: 'event', coll: write.coll, v: write.v },
  );
}

/** What a proposal for `rec` says of the versions before it: `base`, which its author had before them, and `trunk`, the
 *  latest that was active when a pull last told, as the disk has it when the proposal is written. They differ where
 *  somebody else's change came while the author was writing: the server then makes it a conflict. */
export function basis(space: string, rec: string, base: string | null): More {
  return async (tx) => {
    const row = await tx.objectStore('base').get([space, rec]);
    return { base, trunk: text(object(row?.doc['active'])['ver']) };
  };
}

function object(value: Json | undefined): Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, Json>>)
    : {};
}

function text(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
