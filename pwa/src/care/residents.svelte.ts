/** The residents that the signed-in person may see, as screens name them: the profile's words before the session's. */
import { mos } from '../app/mos.svelte';
import type { ResidentEntry } from '../app/session';
import { readProfile } from '../plan/day';
import type { Profile } from '../plan/model';
import { hasArrived } from './day.svelte';
import { may, type Permission } from './permissions';

export interface Resident {
  space: string;
  unit: string;
  name: string;
  /** First name, or the whole name where two residents share the first. */
  called: string;
  flat: string;
  face: string;
  zone: string;
  language: string;
  permissions: readonly string[];
  /** Null until the space has arrived on this device. */
  profile: Profile | null;
  /** The space's records are here: what is not among them is not there. */
  arrived: boolean;
}

export const residents = {
  /** Everybody, in no promised order. */
  all(): Resident[] {
    const entries = mos.session?.residents ?? [];
    const named = entries.map(entryOf);
    const firsts = named.map(({ name }) => firstName(name));
    return named.map((resident) => {
      const first = firstName(resident.name);
      const shared = firsts.filter((other) => other === first).length > 1;
      return { ...resident, called: shared ? resident.name : first };
    });
  },

  of(space: string): Resident | null {
    return residents.all().find((resident) => resident.space === space) ?? null;
  },

  may(resident: Resident, permission: Permission): boolean {
    return may(resident.permissions, permission);
  },
};

function entryOf(entry: ResidentEntry): Resident {
  const row = mos.replica.rows(entry.space, 'profile')[0];
  const profile = row ? readProfile(row) : null;
  // The replica hears of a changed permission before the session is fetched again.
  const space = mos.replica.spaces().find(({ id }) => id === entry.space);
  const name = profile?.name || entry.name;
  return {
    space: entry.space,
    unit: entry.unit,
    name,
    called: name,
    flat: profile?.flat || entry.flat,
    face: profile?.face ?? '',
    zone: profile?.zone || (mos.session?.organisation.zone ?? 'UTC'),
    language: profile?.language || (mos.session?.organisation.language ?? 'sv'),
    permissions: space?.permissions ?? entry.permissions,
    profile,
    arrived: hasArrived(entry.space),
  };
}

function firstName(name: string): string {
  return name.trim().split(/\s+/u)[0] ?? name;
}
