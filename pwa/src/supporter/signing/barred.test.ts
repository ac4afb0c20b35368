import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { needAreas } from '../../app/i18n.svelte';
import { mos } from '../../app/mos.svelte';
import type { Session } from '../../app/session';
import type { Resident } from '../../care/residents.svelte';
import { MemoryReplica } from '../../offline/memory';
import { barsFor } from './bars';

const ELSA = { space: 'elsa' } as Resident;
const ORDER = { space: 'elsa-med', rec: 'waran' };
const NOW = Date.parse('2026-11-27T08:00:00Z');
const held = { space: 'elsa', task: 'insulin', since: '2026-01-01T00:00:00Z' };

beforeEach(async () => {
  vi.stubGlobal('document', { documentElement: {} });
  const replica = new MemoryReplica('jonas');
  mos.open(replica);
  await needAreas('supporter');
  await replica.set('elsa-med', 'order', 'waran', {
    active: { ver: 'v1', v: { kind: 'times', delegation: 'insulin' } },
  });
});
afterEach(() => {
  mos.session = null;
  vi.unstubAllGlobals();
});

function signedIn(policy: string, delegations: readonly object[]): void {
  mos.session = {
    account: { id: 'jonas', name: 'Jonas', role: 'caregiver', language: 'sv' },
    organisation: { policy },
    signers: [
      { account: 'sara', name: 'Sara', role: 'caregiver', kind: 'pin' },
      { account: 'ada', name: 'Ada', role: 'nurse', kind: 'pin' },
    ],
    people: [{ id: 'ada', name: 'Ada', role: 'nurse' }],
    residents: [],
    delegations,
  } as unknown as Session;
}

it('says of each who may not, with whom to tell, until the moment it ends', async () => {
  const until = '2026-11-27T12:00:00Z';
  signedIn('care_record', [{ ...held, account: 'sara', until }]);

  const { bars } = await barsFor(ELSA, ORDER, NOW);
  const later = (await barsFor(ELSA, ORDER, Date.parse(until))).bars;

  expect(bars?.('jonas')).toContain('Säg till Ada.');
  expect(bars?.('jonas')).toContain('ingen giltig delegering');
  expect([bars?.('sara'), bars?.('ada')]).toEqual([null, null]);
  expect(later?.('sara')).toContain('Sara har ingen giltig delegering');
});

it('bars nobody in a family', async () => {
  signedIn('family', []);

  expect((await barsFor(ELSA, ORDER, NOW)).bars?.('jonas')).toBeNull();
});
