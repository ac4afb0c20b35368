import { beforeEach, describe, expect, it } from 'vitest';

import { mos } from '../app/mos.svelte';
import { MemoryReplica } from '../offline/memory';
import { blankForm, groupsOf } from '../plan/editor/form';
import { deleteReminder, saveReminder } from './plan';

const opened = { ...blankForm('meal', { zone: 'UTC', date: '2026-11-27' }), title: 'Lunch' };
const changed = { ...opened, title: 'Sen lunch' };
let replica: MemoryReplica;

beforeEach(async () => {
  replica = new MemoryReplica('noor');
  replica.addSpace({ id: 's', role: 'caregiver', permissions: [] });
  mos.open(replica);
  await replica.set('s', 'reminder', 'r', groupsOf(opened));
});

const titles = () => replica.rows('s', 'reminder').map(({ doc }) => doc['title']);

describe('a saved reminder', () => {
  it('is in the plan, and can be taken back', async () => {
    const takeBack = await saveReminder('s', 'r', { opened, form: changed });
    expect(titles()).toEqual(['Sen lunch']);
    await takeBack();
    expect(titles()).toEqual(['Lunch']);
  });

  it('is in the plan also when somebody deleted it meanwhile', async () => {
    await deleteReminder('s', 'r');
    const takeBack = await saveReminder('s', 'r', { opened, form: changed });
    expect(titles()).toEqual(['Sen lunch']);
    await takeBack();
    expect(titles()).toEqual([]);
  });

  it('keeps what somebody else changed in it meanwhile', async () => {
    await replica.set('s', 'reminder', 'r', { note: 'Utan nötter' });
    await saveReminder('s', 'r', { opened, form: changed });
    expect(replica.row('s', 'reminder', 'r')?.doc['note']).toBe('Utan nötter');
  });
});
