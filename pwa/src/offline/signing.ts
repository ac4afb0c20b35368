/** Writing beside whoever is signed in: what somebody signs by a PIN is theirs in the outbox, on the screen and at the server. */
import { uuid7 } from './ids';
import { keep, signing, type SessionSecret } from './keys';
import type { Replica } from './model';
import type { Platform } from './platform';
import { basis } from './proposals';
import type { LocalReplica } from './replica';
import type { Draft, More } from './store';

/** The part of the replica's door through which people change things. */
export type Writer = Pick<Replica, 'set' | 'event' | 'safety' | 'resolve'>;

/** What `account` writes with the session that their PIN has made, while `beside` is signed in. The key lies on the disk with
 *  the first change. Null where the browser has no cryptography. */
export async function writerOf(
  replica: Pick<LocalReplica, 'write'>,
  platform: Pick<Platform, 'now' | 'random'>,
  session: SessionSecret,
  { account, beside }: { account: string; beside: string },
): Promise<Writer | null> {
  const key = await keep(account, session);
  if (key === null) return null;
  const write = async (space: string, draft: Draft, more?: More): Promise<string> => {
    signing.set(key.sid, key);
    const withKey: More = async (tx) => {
      await tx.objectStore('keys').put(key);
      return (await more?.(tx)) ?? {};
    };
    await replica.write(space, [draft], withKey, { by: account, sid: key.sid, beside });
    return draft.op;
  };
  const id = (): string => uuid7(platform.now(), platform.random);
  return {
    set: async (space, coll, rec, groups) => {
      await write(space, { op: id(), k: 'set', coll, rec, f: groups });
    },
    event: (space, coll, v) => write(space, { op: id(), k: 'event', coll, v }),
    safety: (space, coll, rec, { v, base }) =>
      write(space, { op: id(), k: 'safety', coll, rec, v }, basis(space, rec, base)),
    resolve: (space, coll, rec, choice) =>
      write(space, { op: id(), k: 'resolve', coll, rec, ...choice }),
  };
}
