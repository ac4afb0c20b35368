/** How long a device may show what it fetched, whatever its clock says. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { disk, empty, SPACE, World, type Device } from './devices.testing';
import { FakeMachine, settle } from './fake.testing';
import { millis } from './hlc';
import type { Waiting } from './view';

const DAY_MS = 24 * 3600_000;

let world: World;
let tablet: Device;
beforeEach(() => {
  world = new World();
  tablet = world.device('tablet', new FakeMachine(world.machine.time, 2));
});
afterEach(() => world.close());

/** The server's clock and the tablet's go on together. */
async function pass(ms: number): Promise<void> {
  world.machine.time += ms;
  await tablet.machine.pass(ms);
}

describe('the lease', () => {
  it('does not end where a clock that was behind is put right while the server answers', async () => {
    tablet.machine.time -= 20 * DAY_MS;
    const replica = await world.open(tablet, { platform: tablet.machine });
    await replica.event(SPACE, 'completion', { note: 'kept' });
    await replica.syncNow();

    tablet.machine.time += 20 * DAY_MS;
    await replica.syncNow();
    await pass(3 * 60_000);
    await settle();
    expect(replica.status()).toMatchObject({ trouble: null });
    expect(replica.rows(SPACE, 'completion')).toHaveLength(1);
  });

  it('does not end before the server was asked how late it is', async () => {
    tablet.machine.time -= 20 * DAY_MS;
    const replica = await world.open(tablet, { platform: tablet.machine });
    await replica.event(SPACE, 'completion', { note: 'kept' });
    await replica.syncNow();

    // A tablet looks at the time before it next meets the server.
    tablet.machine.chance = () => 0.999;
    await replica.syncNow();
    tablet.machine.time += 20 * DAY_MS;
    await pass(61_000);
    await settle();
    expect(replica.status()).toMatchObject({ trouble: null });
    expect(replica.rows(SPACE, 'completion')).toHaveLength(1);
  });

  it('ends where the server says nothing', async () => {
    tablet.machine.time -= 20 * DAY_MS;
    const replica = await world.open(tablet, { platform: tablet.machine });
    await replica.syncNow();
    tablet.network.fate = () => 'never';
    tablet.machine.time += 20 * DAY_MS;
    await pass(3 * 60_000);
    await settle();

    expect(replica.status()).toMatchObject({ trouble: 'lease_over' });
    expect(await disk('tablet', 'base')).toEqual([]);
  });

  it('ends without a network, too, where the disk was emptied under an open tab', async () => {
    world.server.leaseMs = 3600_000;
    const replica = await world.open(tablet, { platform: tablet.machine });
    await replica.syncNow();
    tablet.network.fate = () => 'lost';
    await empty('tablet');
    await replica.event(SPACE, 'completion', { note: 'waits' });
    expect(await disk('tablet', 'space')).toHaveLength(1);
    await pass(3600_000 + 120_000);
    await settle();

    expect(replica.status()).toMatchObject({ trouble: 'lease_over' });
    expect(await disk('tablet', 'space')).toEqual([]);
    expect(await disk('tablet', 'outbox')).toHaveLength(1);
  });

  it('counts by the clock of the server after the disk was emptied, too', async () => {
    tablet.machine.time -= 20 * DAY_MS;
    const replica = await world.open(tablet, { platform: tablet.machine });
    await replica.syncNow();
    tablet.network.fate = () => 'lost';
    await empty('tablet');
    await replica.event(SPACE, 'completion', { note: 'waits' });

    const [{ op }] = (await disk('tablet', 'outbox')) as [Waiting];
    expect(millis(op.hlc)).toBe(world.machine.time);
  });
});
