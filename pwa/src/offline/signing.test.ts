/** What somebody signs by a PIN on a device that somebody else is signed in on. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { disk, empty, SPACE, World, type Device } from './devices.testing';
import { settle } from './fake.testing';
import type { LocalReplica } from './replica';
import { writerOf, type Writer } from './signing';

let world: World;
let tablet: Device;

beforeEach(() => {
  world = new World();
  tablet = world.device();
  world.server.account = 'jonas';
  vi.stubGlobal('reportError', () => undefined);
});

afterEach(async () => {
  await world.close();
  vi.unstubAllGlobals();
});

/** The tablet with Jonas signed in. */
async function shared(): Promise<LocalReplica> {
  const session = world.server.session('sid-jonas', 'jonas');
  const replica = await world.open(tablet, { account: 'jonas', session });
  await replica.syncNow();
  return replica;
}

/** What Sara's PIN has made there. */
async function sara(replica: LocalReplica): Promise<Writer> {
  const session = world.server.session('sid-sara', 'sara');
  const how = { account: 'sara', beside: 'jonas' };
  const writer = await writerOf(replica, tablet.machine, session, how);
  if (writer === null) throw new Error('no cryptography');
  return writer;
}

function shown(replica: LocalReplica): unknown[] {
  return replica.rows(SPACE, 'completion').map(({ doc }) => doc['by']);
}

function kept(): unknown[] {
  return [...world.server.space(SPACE).recs.values()].map(({ doc }) => doc['by']);
}

async function keys(): Promise<string[]> {
  return (await disk('tablet', 'keys')).map((key) => (key as { sid: string }).sid).sort();
}

it('bears its author’s name at once, and is theirs at the server; the next act is not', async () => {
  const replica = await shared();
  tablet.network.fate = () => 'lost';
  await (await sara(replica)).event(SPACE, 'completion', { n: 1 });
  await replica.event(SPACE, 'completion', { n: 2 });
  expect(shown(replica).sort()).toEqual(['jonas', 'sara']);
  expect(replica.status()).toMatchObject({ pending: 2, waitingOthers: 0 });

  tablet.network.fate = () => 'ok';
  await replica.syncNow();
  await replica.syncNow();
  expect(kept()).toEqual(['sara', 'jonas']);
  expect(shown(replica).sort()).toEqual(['jonas', 'sara']);
  expect(replica.status()).toMatchObject({ pending: 0, waitingOthers: 0 });
  expect(await disk('tablet', 'outbox')).toEqual([]);
});

it('is taken back in the same name', async () => {
  const replica = await shared();
  const writer = await sara(replica);
  const of = await writer.event(SPACE, 'completion', { n: 1 });
  await writer.event(SPACE, 'retract', { of });
  await replica.syncNow();

  expect(kept()).toEqual(['sara', 'sara']);
});

it('may be of an alert or a decision, too, in the order in which it was done', async () => {
  const replica = await shared();
  const writer = await sara(replica);
  const rec = '0193b3a0-0000-7000-8000-00000000000a';
  await replica.set(SPACE, 'reminder', rec, { title: 'A' });
  await writer.set(SPACE, 'reminder', rec, { title: 'B' });
  await replica.set(SPACE, 'reminder', rec, { note: 'C' });
  await replica.syncNow();

  expect(replica.row(SPACE, 'reminder', rec)?.doc).toMatchObject({ title: 'B', note: 'C' });
  expect(world.server.space(SPACE).log.map(({ op }) => op.n)).toEqual([1, 2, 3]);
});

it('goes out as theirs after whoever was signed in has left, and the next person sees nothing of it', async () => {
  const replica = await shared();
  tablet.network.fate = () => 'lost';
  await (await sara(replica)).event(SPACE, 'completion', { n: 1 });
  await settle();
  await (await replica.tend()).forget({ leaveUnsent: false });
  tablet.network.fate = (what) => (what === 'push' ? 'lost' : 'ok');
  world.server.account = 'bo';
  await (await replica.tend()).belongTo('bo', world.server.session('sid-bo', 'bo'));
  await replica.syncNow();
  expect(shown(replica)).toEqual([]);
  expect(replica.status()).toMatchObject({ pending: 0, waitingOthers: 1 });

  tablet.network.fate = () => 'ok';
  await replica.syncNow();
  expect(kept()).toEqual(['sara']);
  expect(await keys()).toEqual(['sid-bo']);
});

it('that was refused leaves the screen, and is nothing that whoever is signed in has written', async () => {
  const replica = await shared();
  world.server.refuse = (op) => ({ op: op.op, s: 'forbidden', code: 'permission' });
  await (await sara(replica)).event(SPACE, 'completion', { n: 1 });
  await replica.syncNow();

  expect(shown(replica)).toEqual([]);
  expect(replica.refused()).toEqual([]);
  expect(world.server.quarantine).toHaveLength(1);
});

it('P20: is sent again as theirs to a server that has lost it', async () => {
  const replica = await shared();
  await (await sara(replica)).event(SPACE, 'completion', { n: 1 });
  await replica.syncNow();
  await replica.syncNow();
  expect(await keys()).toEqual(['sid-jonas', 'sid-sara']);
  world.server.loseTail(SPACE, 0);
  await (await replica.tend()).belongTo('jonas', world.server.session('sid-jonas', 'jonas'));
  await replica.syncNow();
  await replica.syncNow();

  expect(kept()).toEqual(['sara']);
});

it('is not lost where the device’s store is emptied under the open page', async () => {
  const replica = await shared();
  tablet.network.fate = () => 'lost';
  await (await sara(replica)).event(SPACE, 'completion', { n: 1 });
  // No try is under way that read the change before.
  await replica.syncNow();
  await empty('tablet');
  tablet.network.fate = () => 'ok';
  await replica.syncNow();
  await settle();
  await replica.syncNow();

  expect(kept()).toEqual(['sara']);
});

it('is not offered where the browser has no cryptography', async () => {
  const replica = await shared();
  vi.stubGlobal('crypto', { getRandomValues: () => new Uint8Array(0) });
  const session = { sid: 'sid-sara', key: 'AAAA' };

  expect(
    await writerOf(replica, tablet.machine, session, { account: 'sara', beside: 'jonas' }),
  ).toBeNull();
});
