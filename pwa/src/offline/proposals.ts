/** What is written rarely: several changes as one, and proposals for a confirmed value. */
import { keysOf, type Tx } from './database';
import type { Json, Write } from './model';
import { isOwn, type Draft, type Identity, type More } from './store';

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

/** The versions that a proposal for `rec` starts from, as the disk has them when it is written: `base`, the latest that
 *  its author saw, an own one included, and `trunk`, the latest that was active when a pull last told. */
export function basis(space: string, rec: string): More {
  return async (tx) => {
    const row = await tx.objectStore('base').get([space, rec]);
    const trunk = text(object(row?.doc['active'])['ver']);
    const waiting = await ownProposal(tx, space, rec);
    return { base: waiting ?? (await ownCandidate(tx, space, rec)) ?? trunk, trunk };
  };
}

async function ownProposal(tx: Tx, space: string, rec: string): Promise<string | null> {
  const author = await tx.objectStore('meta').get('author');
  const waiting = await tx.objectStore('outbox').getAll(keysOf(space));
  const own = waiting.filter(({ by, op }) => isOwn(by, author) && op.k === 'safety');
  return own.findLast(({ op }) => 'rec' in op && op.rec === rec)?.op.op ?? null;
}

/** This device's latest among the candidates of an open conflict about the record. */
async function ownCandidate(tx: Tx, space: string, rec: string): Promise<string | null> {
  const identity = (await tx.objectStore('meta').get('identity')) as Identity | undefined;
  const rows = await tx.objectStore('base').getAll(keysOf(space));
  const conflict = rows.find(
    ({ coll, doc }) =>
      coll === 'conflict' && object(doc['of'])['rec'] === rec && doc['state'] === 'open',
  );
  const own = Object.entries(object(conflict?.doc['candidates']))
    .filter(([, candidate]) => object(candidate)['device'] === identity?.device)
    .sort(([, a], [, b]) => (made(a) < made(b) ? -1 : 1));
  return own.at(-1)?.[0] ?? null;
}

function made(candidate: Json): string {
  return text(object(candidate)['made']) ?? '';
}

function object(value: Json | undefined): Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, Json>>)
    : {};
}

function text(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
