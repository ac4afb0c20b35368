/** What every screen may reach: the replica and who is signed in. */
import type { Replica, SyncStatus } from '../offline/model';
import type { Session } from './session';

/** Beyond this the times that are written here are only about right. */
export const CLOCK_WRONG_MS = 2 * 60_000;

class Mos {
  #replica: Replica | null = null;
  /** Grows with each change of the replica. Reading `replica` depends on it by itself. */
  version = $state(0);
  session = $state.raw<Session | null>(null);
  /** The server no longer knows the session; what is here can still be seen and done, and waits. */
  signedOut = $state(false);

  /** Inside `$derived` and markup this depends on the data: `$derived(mos.replica.rows(space, 'reminder'))`. */
  get replica(): Replica {
    void this.version;
    if (this.#replica === null)
      throw new Error('The replica is opened in main.ts, before any screen.');
    return this.#replica;
  }

  get status(): SyncStatus {
    return this.replica.status();
  }

  /** Stands before a time that this device's clock tells, while that is known to be wrong; else empty. */
  get about(): string {
    void this.version;
    return Math.abs(this.#replica?.status().skewMs ?? 0) > CLOCK_WRONG_MS ? '≈\u00a0' : '';
  }

  open(replica: Replica): void {
    this.#replica = replica;
    replica.onChange(() => this.version++);
  }
}

export const mos = new Mos();

/** A person's name by account id; `null` for one we were not told about. */
export function nameOf(account: string | null): string | null {
  return mos.session?.people.find((person) => person.id === account)?.name ?? null;
}
