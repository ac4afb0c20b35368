import { expect, it, vi } from 'vitest';

import { mos } from '../app/mos.svelte';
import type { Json } from '../offline/model';
import { MemoryReplica } from '../offline/memory';
import { weekOf } from '../supporter/week';
import { allReminders } from './day.svelte';

const ZONE = 'Europe/Stockholm';
const rule = (time: string): Json => ({
  ...{ zone: ZONE, kind: 'weekly', start: '2026-11-23', times: [time] },
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
});

async function aHome({ medicines }: { medicines: boolean }): Promise<void> {
  const replica = new MemoryReplica('account-1');
  replica.addSpace({ id: 'home', role: 'caregiver', permissions: [] });
  await replica.set('home', 'reminder', 'r1', { title: 'Frukost', rule: rule('08:00') });
  if (medicines) {
    replica.addSpace({ id: 'meds', role: 'nurse', permissions: [], of: 'home' });
    const v = { drug: 'Waran', strength: '2,5 mg', dose: '1', unit: 'tablett', kind: 'times' };
    await replica.set('meds', 'order', 'o1', {
      active: { ver: 'v1', v: { ...v, rule: rule('20:00') } },
    });
  }
  mos.open(replica);
}

function monday(): string[] {
  const week = weekOf(allReminders('home'), { monday: '2026-11-23', zone: ZONE });
  return week[0]?.bars.map(({ from, title }) => `${from} ${title}`) ?? [];
}

it('a week holds the plan and, for who may see them, the medicines', async () => {
  await aHome({ medicines: true });
  await vi.waitFor(() => expect(monday()).toEqual(['08:00 Frukost', '20:00 Waran 2,5 mg']));
  await aHome({ medicines: false });
  expect(monday()).toEqual(['08:00 Frukost']);
});
