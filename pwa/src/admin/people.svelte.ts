/** Who belongs to the home: fetched when the screens open, kept in step with what is changed here. */
import { api, ApiError } from '../app/api';
import { clock } from '../app/clock.svelte';
import { mos } from '../app/mos.svelte';
import type { Role } from '../app/session';
import type { Account, InvitationLink, Relation, ResidentEntry, Sight, Unit } from './model';
import { managesAll } from './rules';

interface NewAccount {
  role: Role;
  name: string;
  email: string;
  language: string;
  units: string[];
}
interface NewRelation {
  account: string;
  space?: string;
  unit?: string;
  permissions: string[];
  is_primary: boolean;
  consent: string;
  valid_to: string | null;
}

class People {
  units = $state.raw<Unit[]>([]);
  accounts = $state.raw<Account[]>([]);
  residents = $state.raw<ResidentEntry[]>([]);
  relations = $state.raw<Relation[]>([]);
  /** Is a resident's tablet connected? */
  connected = $state(false);
  state = $state<'waiting' | 'ready' | 'failed'>('waiting');
  error = $state.raw<ApiError | null>(null);

  /** Whoever is signed in manages all of it: what is the whole organisation's is theirs to see. */
  readonly mineIsAll: boolean = $derived.by(() => {
    const { session } = mos;
    // To the second: whoever has just claimed a home manages it from then on.
    return (
      session !== null && managesAll(session.account, session.organisation.policy, this, clock.now)
    );
  });

  async load(): Promise<void> {
    try {
      const [units, accounts, residents, relations] = await Promise.all([
        api.get<Unit[]>('units'),
        api.get<Account[]>('accounts'),
        api.get<ResidentEntry[]>('residents'),
        api.get<Relation[]>('relations'),
      ]);
      Object.assign(this, { units, accounts, residents, relations });
      // Where the screens begin depends on it.
      await this.lookForTablets();
      this.state = 'ready';
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
      this.state = 'failed';
    }
  }

  /** Asked one by one, until one is found: most homes have one at the first. */
  async lookForTablets(): Promise<void> {
    if (this.connected) return;
    const live = this.residents.filter(({ archived_at }) => archived_at === null);
    for (const { space } of live.slice(0, 20)) {
      const devices = await api.get<unknown[]>(`residents/${space}/devices`).catch(() => []);
      if (devices.length > 0) {
        this.connected = true;
        return;
      }
    }
  }

  async addUnit(unit: { name: string; zone: string; language: string }): Promise<void> {
    const made = await api.post<Unit>('units', unit);
    this.units = byName([...this.units, made]);
  }

  async changeUnit(id: string, change: { name?: string; archived?: boolean }): Promise<void> {
    const changed = await api.patch<Unit>(`units/${id}`, change);
    this.units = byName(this.units.map((unit) => (unit.id === id ? changed : unit)));
  }

  async addAccount(account: NewAccount): Promise<Account> {
    const made = await api.post<Account>('accounts', account);
    this.accounts = byName([...this.accounts, made]);
    if (account.units.length > 0) this.relations = await api.get<Relation[]>('relations');
    return made;
  }

  async changeAccount(
    id: string,
    change: { name?: string; role?: Role; email?: string; disabled?: boolean },
  ): Promise<void> {
    const changed = await api.patch<Account>(`accounts/${id}`, change);
    this.accounts = byName(this.accounts.map((account) => (account.id === id ? changed : account)));
  }

  async endSessions(id: string): Promise<void> {
    await api.delete(`accounts/${id}/sessions`);
  }

  /** Resolves to whether the mail that tells of it has gone. */
  async resetSecondFactor(id: string): Promise<boolean> {
    const { told } = await api.delete<{ told: boolean }>(`accounts/${id}/second-factor`);
    this.accounts = this.accounts.map((account) =>
      account.id === id ? { ...account, has_second_factor: false } : account,
    );
    return told;
  }

  async unlink(id: string): Promise<void> {
    await api.delete(`accounts/${id}/identity`);
    this.accounts = this.accounts.map((account) =>
      account.id === id ? { ...account, linked: false } : account,
    );
  }

  async invite(id: string, kind: 'password' | 'device'): Promise<InvitationLink> {
    const link = await api.post<InvitationLink>(`accounts/${id}/invitations`, { kind });
    this.accounts = this.accounts.map((account) =>
      account.id === id ? { ...account, invited_until: link.expires_at } : account,
    );
    return link;
  }

  /** Resolves to why a link could not be mailed, in the words of the channel; empty: it has gone. */
  async mailInvitation(id: string, link: InvitationLink): Promise<string> {
    const { token } = link;
    const path = `accounts/${id}/invitations/${link.id}/mail`;
    const told = await api.post<{ sent: boolean; code: string }>(path, { token });
    return told.sent ? '' : told.code || 'unclear';
  }

  async withdrawInvitation(id: string): Promise<void> {
    await api.delete(`accounts/${id}/invitations`);
    this.accounts = this.accounts.map((account) =>
      account.id === id ? { ...account, invited_until: null } : account,
    );
  }

  async addResident(resident: {
    name: string;
    flat: string;
    unit: string;
    language: string;
  }): Promise<ResidentEntry> {
    const made = await api.post<ResidentEntry>('residents', resident);
    this.residents = byName([...this.residents, made]);
    return made;
  }

  async changeResident(
    space: string,
    change: { name?: string; flat?: string; unit?: string; archived?: boolean },
  ): Promise<void> {
    const changed = await api.patch<ResidentEntry>(`residents/${space}`, change);
    this.residents = byName(this.residents.map((each) => (each.space === space ? changed : each)));
  }

  async addRelation(relation: NewRelation): Promise<void> {
    await api.post<Relation>('relations', relation);
    // A new contact person takes the mark from the one before.
    this.relations = await api.get<Relation[]>('relations');
  }

  async changeRelation(
    id: string,
    change: Partial<Pick<Relation, 'permissions' | 'is_primary' | 'consent' | 'valid_to'>>,
  ): Promise<void> {
    await api.patch<Relation>(`relations/${id}`, change);
    this.relations = await api.get<Relation[]>('relations');
  }

  async endRelation(id: string): Promise<void> {
    await api.delete(`relations/${id}`);
    this.relations = this.relations.filter((relation) => relation.id !== id);
  }

  /** What somebody may do for each resident, now (`null`) or at an instant to come, as ISO 8601. */
  async sight(id: string, at: string | null): Promise<Sight[]> {
    const asked = at === null ? '' : `?at=${encodeURIComponent(at)}`;
    return api.get<Sight[]>(`accounts/${id}/sight${asked}`);
  }

  unit(id: string | null): string {
    return this.units.find((unit) => unit.id === id)?.name ?? '';
  }

  account(id: string): Account | null {
    return this.accounts.find((account) => account.id === id) ?? null;
  }

  resident(space: string | null): ResidentEntry | null {
    return this.residents.find((resident) => resident.space === space) ?? null;
  }
}

export const people = new People();

function byName<T extends { name: string }>(all: T[]): T[] {
  return all.sort((a, b) => a.name.localeCompare(b.name));
}
