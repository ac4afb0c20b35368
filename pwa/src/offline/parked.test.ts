/** Changes that the server cannot even read: they stop nobody, are told, and are tried again. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { disk, SPACE, World, type Device } from './devices.testing';
import type { Op } from './protocol';
import type { LocalReplica } from './replica';

const DAY_MS = 24 * 3600_000;

let world: World;
let tablet: Device;
beforeEach(() => {
  world = new World();
  tablet = world.device();
});
afterEach(() => world.close());

function isPoison(op: Op): boolean {
  return op.k === 'event' && op.v['note'] === 'poison';
}

/** One change that cannot be read beside one that can. */
async function parked(replica: LocalReplica): Promise<void> {
  world.server.poison = isPoison;
  tablet.network.fate = () => 'lost';
  for (const note of ['poison', 'fine']) await replica.event(SPACE, 'completion', { note });
  tablet.network.fate = () => 'ok';
  await replica.syncNow();
}

function notes(): unknown[] {
  return [...world.server.space(SPACE).recs.values()]
    .map(({ doc }) => (doc['v'] as { note: string }).note)
    .sort();
}

describe('a change that the server cannot read', () => {
  it('is told to its author among what could not be saved, and no longer as waiting', async () => {
    const replica = await world.open(tablet);
    await parked(replica);

    expect(notes()).toEqual(['fine']);
    expect(replica.refused()).toMatchObject([
      { coll: 'completion', what: { v: { note: 'poison' } }, code: 'parked' },
    ]);
    expect(replica.status()).toMatchObject({ pending: 0, trouble: 'refused' });
    expect(replica.rows(SPACE, 'completion')).toHaveLength(2);
  });

  it('is tried again after a day, and not before', async () => {
    const replica = await world.open(tablet);
    await parked(replica);
    const tries = world.server.pushes;
    await replica.syncNow();
    expect(world.server.pushes).toBe(tries);

    world.server.poison = () => false;
    world.machine.time += DAY_MS;
    await replica.syncNow();
    expect(notes()).toEqual(['fine', 'poison']);
    expect(replica.refused()).toEqual([]);
    expect(await disk('tablet', 'outbox')).toEqual([]);
  });

  it('is tried at once by a newer app, and where an older one put it aside', async () => {
    await parked(await world.open(tablet));
    await world.close();
    world.server.poison = () => false;
    const replica = await world.open(tablet, { app: 'newer' });
    await replica.syncNow();

    expect(notes()).toEqual(['fine', 'poison']);
  });

  it('stays away once its author has read of it, and is tried all the same', async () => {
    const replica = await world.open(tablet);
    await parked(replica);
    await replica.forgetRefused(replica.refused()[0]?.op ?? '');
    expect(replica.refused()).toEqual([]);
    expect(replica.status()).toMatchObject({ pending: 0, trouble: null });

    world.machine.time += DAY_MS;
    await replica.syncNow();
    expect(replica.refused()).toEqual([]);
    world.server.poison = () => false;
    world.machine.time += DAY_MS;
    await replica.syncNow();
    expect(notes()).toEqual(['fine', 'poison']);
  });

  it('is not put aside while the server can read nothing', async () => {
    const replica = await world.open(tablet);
    world.server.poison = () => true;
    for (const note of ['1', '2', '3', '4', '5'])
      await replica.event(SPACE, 'completion', { note });
    await replica.syncNow();
    expect(replica.status()).toMatchObject({ pending: 5, trouble: null });
    expect(replica.refused()).toEqual([]);

    world.server.poison = () => false;
    await world.machine.pass(5 * 60_000);
    expect(replica.status().pending).toBe(0);
    expect(notes()).toEqual(['1', '2', '3', '4', '5']);
  });

  it('that waits alone is asked for with patience, and told of after a day', async () => {
    const replica = await world.open(tablet);
    world.server.poison = isPoison;
    await replica.event(SPACE, 'completion', { note: 'poison' });
    const quarters = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        world.machine.time += DAY_MS / 96;
        await replica.syncNow();
      }
    };
    await quarters(48);
    const tries = world.server.pushes;
    expect(replica.status()).toMatchObject({ pending: 1, trouble: null });
    await quarters(96);

    // Every hour, and then every day.
    expect(world.server.pushes - tries).toBeLessThan(14);
    expect(replica.status()).toMatchObject({ pending: 0, trouble: 'refused' });
  });

  it('holds up nobody behind it', async () => {
    const replica = await world.open(tablet);
    world.server.poison = isPoison;
    tablet.network.fate = () => 'lost';
    for (const note of ['poison', 'poison', 'poison', 'poison', 'fine'])
      await replica.event(SPACE, 'completion', { note });
    tablet.network.fate = () => 'ok';
    await world.machine.pass(10 * 60_000);

    expect(notes()).toEqual(['fine']);
    expect(replica.refused()).toHaveLength(4);
  });

  it('outlives the sign-out of others, and goes out as whose it is', async () => {
    const replica = await world.open(tablet, {
      account: 'noor',
      session: world.server.session('sid-noor', 'noor'),
    });
    await parked(replica);
    const tender = await replica.tend();
    expect(await tender.canLeaveUnsent()).toBe(true);
    await tender.hold();
    await tender.forget({ leaveUnsent: true });
    world.server.account = 'alva';
    await tender.belongTo('alva', world.server.session('sid-alva', 'alva'));
    replica.showAs('alva');
    await replica.syncNow();
    expect(replica.refused()).toEqual([]);
    expect(replica.status()).toMatchObject({ pending: 0, waitingOthers: 1 });
    await tender.hold();
    await tender.forget({ leaveUnsent: true });
    expect(await disk('tablet', 'outbox')).toHaveLength(1);

    await tender.belongTo('alva', world.server.session('sid-alva2', 'alva'));
    world.server.poison = () => false;
    world.machine.time += DAY_MS;
    await replica.syncNow();
    expect(notes()).toEqual(['fine', 'poison']);
    expect(world.server.pushed.at(-1)?.as?.sid).toBe('sid-noor');
    expect(await disk('tablet', 'outbox')).toEqual([]);
  });

  it('outlives its space, of which nothing else is shown', async () => {
    const replica = await world.open(tablet);
    await parked(replica);
    world.server.gone.set(SPACE, 'revoked');
    await replica.syncNow();
    expect(await disk('tablet', 'space')).toEqual([]);
    expect(await disk('tablet', 'outbox')).toHaveLength(1);
    expect(replica.refused()).toMatchObject([{ code: 'parked', what: {}, rec: '', bare: true }]);

    world.server.poison = () => false;
    world.machine.time += DAY_MS;
    await replica.syncNow();
    expect(await disk('tablet', 'outbox')).toEqual([]);
    expect(replica.refused()).toMatchObject([{ code: 'no_access', bare: true }]);
  });
});

describe('half a sign', () => {
  // An emoji cut in the middle: no server can read that.
  it('is sent as one that every server can read, and the rest of the text is kept', async () => {
    const replica = await world.open(tablet);
    world.server.poison = (op) => /\\ud[89a-f]/.test(JSON.stringify(op));
    await replica.set(SPACE, 'reminder', SPACE, { title: 'Fika \ud83d', steps: ['\udf70', '🍰'] });
    await replica.syncNow();

    const read = { title: 'Fika \ufffd', steps: ['\ufffd', '🍰'] };
    expect(world.server.space(SPACE).recs.get(SPACE)?.doc).toEqual(read);
    expect(replica.row(SPACE, 'reminder', SPACE)?.doc).toEqual(read);
    expect(replica.status()).toMatchObject({ pending: 0, trouble: null });
  });
});
