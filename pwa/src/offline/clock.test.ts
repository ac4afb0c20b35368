/** A device's clock that was ahead comes back once the server has said so. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { disk, SPACE, World, type Device } from './devices.testing';
import { millis } from './hlc';
import type { LocalReplica } from './replica';
import type { Waiting } from './view';

const AHEAD_MS = 5 * 24 * 3600_000;
const SOUP = '0193b3a0-0000-7000-8000-00000000000a';

let world: World;
let tablet: Device;
beforeEach(() => {
  world = new World();
  tablet = world.device();
});
afterEach(() => world.close());

/** Something written while the clock was five days ahead, and not sent. */
async function wroteAhead(): Promise<LocalReplica> {
  const replica = await world.open(tablet);
  await replica.syncNow();
  tablet.network.fate = () => 'lost';
  world.machine.time += AHEAD_MS;
  await replica.set(SPACE, 'reminder', SOUP, { title: 'ahead' });
  world.machine.time -= AHEAD_MS;
  return replica;
}

/** How far ahead of the time the last change is stamped, ms. */
async function ahead(): Promise<number> {
  const waiting = (await disk('tablet', 'outbox')) as Waiting[];
  return millis(waiting.at(-1)?.op.hlc ?? '') - world.machine.time;
}

describe('a clock that was ahead', () => {
  it('P12: goes on from what the server stamped, and what is written then wins over it', async () => {
    const replica = await wroteAhead();
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    await replica.syncNow();
    world.machine.time += 1000;
    tablet.network.fate = () => 'lost';
    await replica.set(SPACE, 'reminder', SOUP, { title: 'right again' });

    expect(await ahead()).toBe(0);
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    expect(world.server.space(SPACE).recs.get(SOUP)?.doc).toEqual({ title: 'right again' });
  });

  it('stays ahead of what still waits under it', async () => {
    const replica = await wroteAhead();
    await replica.event(SPACE, 'completion', { note: 'later' });
    world.server.refuse = (op) =>
      op.k === 'event' ? { op: op.op, s: 'retry', after_ms: 60_000 } : null;
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    tablet.network.fate = () => 'lost';
    await replica.set(SPACE, 'reminder', SOUP, { title: 'after it' });

    const stamps = ((await disk('tablet', 'outbox')) as Waiting[])
      .filter(({ seq }) => seq === null)
      .map(({ op }) => op.hlc);
    expect(stamps).toHaveLength(2);
    expect(stamps).toEqual([...stamps].sort());
  });

  it('does not fall behind what others wrote', async () => {
    const replica = await wroteAhead();
    // Their clock is ahead too, by no more than the server takes.
    const { now } = world.server;
    world.server.now = () => now() + 50_000;
    world.server.write(SPACE, 'reminder', SOUP, { title: 'theirs' });
    world.server.now = now;
    // It is fetched first, and what waited stamped anew after that.
    world.server.refuse = (op) => ({ op: op.op, s: 'retry', after_ms: 1000 });
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    world.server.refuse = () => null;
    await replica.syncNow();
    await replica.syncNow();
    expect(replica.row(SPACE, 'reminder', SOUP)?.doc['title']).toBe('theirs');
    await replica.set(SPACE, 'reminder', SOUP, { title: 'mine' });
    await replica.syncNow();

    expect(world.server.space(SPACE).recs.get(SOUP)?.doc).toEqual({ title: 'mine' });
    expect(await ahead()).toBeLessThan(60_000);
  });
});
