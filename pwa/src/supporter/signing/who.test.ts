import { afterEach, beforeEach, expect, it } from 'vitest';

import { mos } from '../../app/mos.svelte';
import type { PinPerson } from '../../app/pins';
import type { Session } from '../../app/session';
import { MemoryReplica } from '../../offline/memory';
import { othersHere, signer, type Question } from './who';

const DOSE: Question = {
  ...{ space: 's', called: 'Elsa', about: 'Waran: Klar' },
  needs: 'outcome.record',
  says: 'dose',
};

function pin(account: string, role = 'caregiver'): PinPerson {
  return { account, name: account, role, kind: 'pin' };
}

function signedIn(more: Partial<Session>): void {
  const account = { id: 'jonas', name: 'Jonas', role: 'caregiver', language: 'sv' };
  mos.session = { account, ...more } as unknown as Session;
}

beforeEach(() => mos.open(new MemoryReplica('jonas')));
afterEach(() => (mos.session = null));

it('whoever is signed in signs, where the device asks nothing', async () => {
  signedIn({ signers: [pin('sara')] });

  const signed = await signer(DOSE);
  expect(signed).toMatchObject({ account: 'jonas', name: null, givenBy: '' });
  expect(signed?.write).toBe(mos.replica);
  expect(signed?.back()).toBe(mos.replica);
});

it('what is no dose asks nobody, whatever the device says', async () => {
  signedIn({ asks_signer: true, signers: [pin('sara')] });

  expect(await signer({ ...DOSE, says: 'other' })).toMatchObject({ account: 'jonas' });
});

it('others are those with a PIN here, but for whoever is signed in and residents', () => {
  signedIn({ signers: [pin('jonas'), pin('sara'), pin('elsa', 'resident')] });
  expect(othersHere().map(({ account }) => account)).toEqual(['sara']);

  // A server of before tells of nobody.
  signedIn({});
  expect(othersHere()).toEqual([]);
});
