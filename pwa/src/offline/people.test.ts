import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Database, STORES } from './database';
import { disk, EIGHT, SPACE, World, type Device } from './devices.testing';
import { FakeMachine, settle } from './fake.testing';
import { Intake } from './intake';
import { SyncError, type Hello } from './protocol';
import type { LocalReplica } from './replica';

const HOUR = 3_600_000;

let world: World;
let tablet: Device;

beforeEach(() => {
  world = new World();
  tablet = world.device();
  vi.stubGlobal('reportError', () => undefined);
  vi.stubGlobal('caches', {
    keys: () => Promise.resolve(['mos-1', 'mos-2']),
    delete: (name: string) => Promise.resolve(dropped.push(name)),
  });
  vi.stubGlobal('navigator', {
    serviceWorker: {
      getRegistrations: () =>
        Promise.resolve([{ unregister: () => Promise.resolve(dropped.push('worker')) }]),
    },
  });
});

const dropped: string[] = [];

afterEach(async () => {
  await world.close();
  dropped.splice(0);
  vi.unstubAllGlobals();
});

function authors(): unknown[] {
  return [...world.server.space(SPACE).recs.values()].map(({ doc }) => doc['by']);
}

async function leave(
  replica: LocalReplica,
  leaveUnsent = true,
  ends?: { sid: string },
): Promise<void> {
  await (await replica.tend()).forget({ leaveUnsent, ends });
}

/** Noor wrote something without a network, in a session of hers, and left it here. */
async function noorLeft(ends?: { sid: string }): Promise<LocalReplica> {
  const session = world.server.session('sid-noor', 'noor');
  const replica = await world.open(tablet, { account: 'noor', session });
  tablet.network.fate = () => 'lost';
  await replica.event(SPACE, 'completion', { note: 'secret' });
  await settle();
  await leave(replica, true, ends);
  return replica;
}

describe('what somebody left unsent', () => {
  it('goes out as theirs when the next person has signed in, and nothing of it stays', async () => {
    const replica = await noorLeft();
    expect(replica.status().waitingOthers).toBe(1);
    const alva = world.server.session('sid-alva', 'alva');
    world.server.account = 'alva';
    tablet.network.fate = () => 'ok';
    await (await replica.tend()).belongTo('alva', alva);
    await replica.event(SPACE, 'completion', { note: 'hers' });
    await replica.syncNow();
    await replica.syncNow();

    expect(authors()).toEqual(['noor', 'alva']);
    expect(replica.status()).toMatchObject({ waitingOthers: 0, pending: 0 });
    expect(await disk('tablet', 'outbox')).toEqual([]);
    expect((await disk('tablet', 'keys')).map((key) => (key as { sid: string }).sid)).toEqual([
      'sid-alva',
    ]);
    const ring = (await disk('tablet', 'acked')) as { op: { v: { note: string } } }[];
    expect(ring.map(({ op }) => op.v.note)).toEqual(['hers']);
  });

  it('P16: is shown to nobody else, not as a row, not as waiting, not as refused', async () => {
    const replica = await noorLeft();
    tablet.network.fate = (what) => (what === 'push' ? 'lost' : 'ok');
    world.server.account = 'alva';
    await (await replica.tend()).belongTo('alva', world.server.session('sid-alva', 'alva'));
    await replica.syncNow();

    expect(replica.spaces()).toHaveLength(1);
    expect(replica.rows(SPACE, 'completion')).toEqual([]);
    expect(replica.status()).toMatchObject({ pending: 0, waitingOthers: 1 });
    world.server.refuse = (op) => ({ op: op.op, s: 'forbidden', code: 'session' });
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    expect(world.server.quarantine).toHaveLength(1);
    expect(replica.refused()).toEqual([]);
    expect(await disk('tablet', 'outbox', 'acked', 'refused')).toEqual([]);
  });

  it('is theirs again when they come back before it went out', async () => {
    const replica = await noorLeft();
    tablet.network.fate = (what) => (what === 'push' ? 'lost' : 'ok');
    await (await replica.tend()).belongTo('noor', world.server.session('sid-2', 'noor'));
    replica.showAs('noor');
    await replica.syncNow();

    expect(replica.rows(SPACE, 'completion')).toHaveLength(1);
    expect(replica.status()).toMatchObject({ pending: 1, waitingOthers: 0 });
  });

  it('whose author the server does not believe waits, and holds up nobody', async () => {
    const replica = await noorLeft();
    world.server.sessions.delete('sid-noor');
    world.server.account = 'alva';
    tablet.network.fate = () => 'ok';
    await (await replica.tend()).belongTo('alva', world.server.session('sid-alva', 'alva'));
    await replica.event(SPACE, 'completion', { note: 'hers' });
    await replica.syncNow();

    expect(authors()).toEqual(['alva']);
    expect(replica.status()).toMatchObject({ pending: 0, waitingOthers: 1 });
  });

  it('can only be left when it is known whose it is', async () => {
    const replica = await world.open(tablet, { account: 'noor' });
    tablet.network.fate = () => 'lost';
    await replica.event(SPACE, 'completion', { note: 'secret' });
    const tender = await replica.tend();
    expect(await tender.canLeaveUnsent()).toBe(false);

    await tender.belongTo('noor', world.server.session('sid-noor', 'noor'));
    await replica.event(SPACE, 'completion', { note: 'another' });
    // The first was made before the server had told the session.
    expect(await tender.canLeaveUnsent()).toBe(false);
  });

  it('is sent in the order of its numbers, batch by batch, each signed by its own', async () => {
    const replica = await noorLeft();
    await (await replica.tend()).belongTo('bo', world.server.session('sid-bo', 'bo'));
    await replica.event(SPACE, 'completion', { note: 'bo' });
    await leave(replica);
    world.server.account = 'alva';
    await (await replica.tend()).belongTo('alva', world.server.session('sid-alva', 'alva'));
    await replica.event(SPACE, 'completion', { note: 'alva' });
    tablet.network.fate = () => 'ok';
    await replica.syncNow();

    expect(authors()).toEqual(['noor', 'bo', 'alva']);
    expect(world.server.space(SPACE).log.map(({ op }) => op.n)).toEqual([1, 2, 3]);
    expect(replica.status().lost).toBe(0);
  });
});

describe('what was refused while its author was away', () => {
  /** Noor's change was refused while Alva used the tablet; now Noor is there again. */
  async function noorIsBack(): Promise<LocalReplica> {
    const replica = await noorLeft();
    world.server.refuse = (op) => ({ op: op.op, s: 'invalid', code: 'invalid' });
    tablet.network.fate = () => 'ok';
    world.server.account = 'alva';
    await (await replica.tend()).belongTo('alva', world.server.session('sid-alva', 'alva'));
    await replica.syncNow();
    expect(replica.refused()).toEqual([]);
    await leave(replica);
    await comes(replica, 'noor');
    return replica;
  }
  async function comes(replica: LocalReplica, account: string): Promise<void> {
    world.server.account = account;
    const sid = `sid-${account}-again`;
    await (await replica.tend()).belongTo(account, world.server.session(sid, account));
    await replica.syncNow();
  }
  const HERS = { coll: 'completion', what: { v: { note: 'secret' } }, code: 'invalid', kept: true };

  it('is told to them when they are back, and to nobody else', async () => {
    const replica = await noorIsBack();

    expect(replica.refused()).toMatchObject([{ ...HERS, verdict: 'invalid' }]);
    expect(replica.status().trouble).toBe('refused');
    await leave(replica);
    await comes(replica, 'alva');
    expect(replica.refused()).toEqual([]);
    expect(await disk('tablet', 'refused')).toEqual([]);
  });

  it('is told wherever they are, and goes everywhere when they have read it in one place', async () => {
    const replica = await noorIsBack();
    const phone = world.device('phone', new FakeMachine(EIGHT));
    const hers = await world.open(phone, { account: 'noor' });
    await hers.syncNow();
    expect(hers.refused()).toMatchObject([HERS]);

    await hers.forgetRefused(hers.refused()[0]?.op ?? '');
    await hers.syncNow();
    expect(world.server.unread.get('noor')).toEqual([]);
    await comes(replica, 'noor');
    expect(replica.refused()).toEqual([]);
    expect(hers.refused()).toEqual([]);
  });

  it('stays read where that was without a network, and is told again to whoever left before', async () => {
    const replica = await noorIsBack();
    tablet.network.fate = () => 'lost';
    await replica.forgetRefused(replica.refused()[0]?.op ?? '');
    await replica.syncNow();
    expect(replica.refused()).toEqual([]);
    tablet.network.fate = () => 'ok';
    await replica.syncNow();

    expect(replica.refused()).toEqual([]);
    expect(world.server.hellos.at(-1)?.read).toHaveLength(1);
    expect(world.server.unread.get('noor')).toEqual([]);
    expect(await disk('tablet', 'meta')).not.toContainEqual([expect.any(String)]);
  });

  it('of a space that was taken away is told without what was written', async () => {
    const replica = await noorIsBack();
    world.server.gone.set(SPACE, 'revoked');
    await replica.syncNow();
    await comes(replica, 'noor');

    expect(replica.refused()).toMatchObject([{ coll: 'completion', what: {}, bare: true }]);
  });

  it('is not read by whoever came while the answer was on its way', async () => {
    const replica = await noorLeft();
    world.server.refuse = (op) => ({ op: op.op, s: 'invalid', code: 'invalid' });
    tablet.network.fate = () => 'ok';
    await comes(replica, 'noor');
    await leave(replica);
    expect(world.server.unread.get('noor')).toHaveLength(1);
    const db = new Database('tablet');
    await (await replica.tend()).belongTo('noor');
    const intake = new Intake(db);
    const asked = { ...(await intake.news()), sent: {} };
    const body = { proto: [1, 1], device_id: 'tablet', sent: {} } as unknown as Hello;
    world.server.account = 'noor';
    const answer = world.server.hello(body);
    await leave(replica);
    world.server.account = 'alva';
    await (await replica.tend()).belongTo('alva');
    await intake.greet(answer, asked, world.machine.time);
    await db.close();

    expect(answer.refused).toHaveLength(1);
    expect(JSON.stringify(await disk('tablet', 'refused'))).not.toContain('secret');
  });
});

describe('leaving', () => {
  it('P16: leaves no byte of what was seen or done, when nothing is to wait', async () => {
    const replica = await world.open(tablet, { account: 'noor' });
    await replica.event(SPACE, 'completion', { note: 'secret' });
    await settle();
    tablet.network.fate = () => 'lost';
    await replica.event(SPACE, 'completion', { note: 'secret too' });
    await leave(replica, false);

    expect(JSON.stringify(await disk('tablet', ...STORES))).not.toMatch(/secret|noor/);
    expect(replica.spaces()).toEqual([]);
  });
});

describe('signing out without a network', () => {
  const noor = { sid: 'sid-noor' };

  it('is remembered with what is forgotten, and told once there is a network', async () => {
    const replica = await noorLeft(noor);
    const tender = await replica.tend();

    expect(await tender.endLeft()).toBe(false);
    expect(replica.status()).toMatchObject({ left: 'signing_out' });
    // The app is closed and opened again.
    await replica.close();
    const again = await world.open(tablet, { account: null });
    await settle();
    expect(again.status().left).toBe('signing_out');

    tablet.network.fate = () => 'ok';
    expect(await (await again.tend()).endLeft()).toBe(true);
    expect(await (await again.tend()).endLeft()).toBe(true);
    expect(world.server.ended).toEqual(['sid-noor']);
    expect(again.status().left).toBeNull();
  });

  it('sends nothing before, and loses nothing by it', async () => {
    const replica = await noorLeft(noor);
    tablet.network.fate = () => 'ok';
    const before = world.server.hellos.length;
    await replica.syncNow();
    expect(world.server.hellos.length + world.server.pushed.length).toBe(before);

    await (await replica.tend()).endLeft();
    world.server.account = 'bo';
    await (await replica.tend()).belongTo('bo', world.server.session('sid-bo', 'bo'));
    await replica.syncNow();
    expect(authors()).toEqual(['noor']);
  });

  it('ends no session of the next person', async () => {
    const replica = await noorLeft(noor);
    await (await replica.tend()).belongTo('bo', world.server.session('sid-bo', 'bo'));
    tablet.network.fate = () => 'ok';

    await (await replica.tend()).endLeft();
    expect(world.server.ended).toEqual([]);
  });
});

describe('a space that is taken away', () => {
  it('P16: goes when what waited has a verdict, and the server is told that nothing is left', async () => {
    const replica = await world.open(tablet);
    await replica.event(SPACE, 'completion', { note: 'old' });
    await settle();
    tablet.network.fate = () => 'lost';
    await replica.event(SPACE, 'completion', { note: 'waiting' });
    world.server.gone.set(SPACE, 'revoked');
    let later = true;
    world.server.refuse = (op) => (later ? { op: op.op, s: 'retry', after_ms: 1000 } : null);
    const gone = world.server.gone;
    // The server asks for patience for a while, before it says no.
    gone.delete(SPACE);
    const real = world.server.pull.bind(world.server);
    world.server.pull = (body) => {
      gone.set(SPACE, 'revoked');
      const answer = real(body);
      if (later) gone.delete(SPACE);
      return answer;
    };
    tablet.network.fate = () => 'ok';
    await replica.syncNow();

    // Nothing that was fetched is here; what has no verdict waits, for sending only.
    expect(replica.spaces()).toEqual([]);
    expect(await disk('tablet', 'base', 'acked', 'space')).toEqual([]);
    expect(await disk('tablet', 'outbox')).toHaveLength(1);
    expect(world.server.hellos.some(({ purged }) => purged !== undefined)).toBe(false);

    later = false;
    gone.set(SPACE, 'revoked');
    (await replica.tend()).nudge();
    await tablet.machine.pass(180_000);
    await (await replica.tend()).belongTo('account-1');
    await replica.syncNow();
    expect(world.server.quarantine).toHaveLength(1);
    expect(await disk('tablet', 'outbox')).toEqual([]);
    const told = world.server.hellos.flatMap(({ purged }) => purged ?? []);
    expect(told).toEqual([SPACE]);
    // Its verdict leaves nothing of it behind but for its author, that it was refused.
    expect(await disk('tablet', 'acked')).toEqual([]);
    expect(JSON.stringify(await disk('tablet', 'refused'))).not.toContain('waiting');
    expect(replica.refused()).toMatchObject([
      { coll: 'completion', what: {}, rec: '', bare: true },
    ]);
  });

  it('P16: what is written while it leaves is judged, and the verdict leaves nothing', async () => {
    const replica = await world.open(tablet);
    const purge = vi.spyOn(Intake.prototype, 'purge').mockImplementation(async function (
      this: Intake,
      space,
    ) {
      purge.mockRestore();
      await replica.event(space, 'completion', { note: 'at the last moment' });
      await this.purge(space);
    });
    world.server.gone.set(SPACE, 'revoked');
    // What happened while the right stood is taken.
    const push = world.server.push.bind(world.server);
    world.server.push = (body) => {
      world.server.gone.delete(SPACE);
      const answer = push(body);
      world.server.gone.set(SPACE, 'revoked');
      return answer;
    };
    await replica.syncNow();
    await replica.syncNow();

    expect(world.server.space(SPACE).log).toHaveLength(1);
    expect(await disk('tablet', 'outbox', 'acked', 'refused', 'base', 'space')).toEqual([]);
    (await replica.tend()).nudge();
    await (await replica.tend()).belongTo('account-1');
    await replica.syncNow();
    expect(world.server.hellos.flatMap(({ purged }) => purged ?? [])).toEqual([SPACE]);
  });

  it('and given back while it is pulled leaves first, and is there again at the next round', async () => {
    const replica = await world.open(tablet);
    await replica.event(SPACE, 'completion', { note: 'kept by the server' });
    await settle();
    const { server } = world;
    const another = SPACE.replace(/1$/, '2');
    const pull = server.pull.bind(server);
    let pulls = 0;
    server.pull = (body) => {
      // An app that asks for ever is cut off.
      if (++pulls > 9) throw new SyncError('offline');
      if (pulls === 1) {
        server.gone.set(SPACE, 'revoked');
        server.space(another);
      }
      const answer = pull(body);
      server.gone.delete(SPACE);
      return answer;
    };
    await replica.syncNow();
    expect(pulls).toBeLessThan(4);
    await replica.syncNow();

    expect(new Set(replica.spaces().map(({ id }) => id))).toEqual(new Set([SPACE, another]));
    expect(replica.rows(SPACE, 'completion')).toHaveLength(1);
  });

  it('takes along what was written in it and refused, and leaves its author to be told', async () => {
    const replica = await world.open(tablet);
    world.server.refuse = (op) => ({ op: op.op, s: 'invalid', code: 'x' });
    await replica.event(SPACE, 'completion', { note: 'secret' });
    await settle();
    expect(replica.refused()).toHaveLength(1);
    world.server.gone.set(SPACE, 'revoked');
    await replica.syncNow();

    expect(JSON.stringify(await disk('tablet', 'refused', 'acked', 'base'))).not.toContain(
      'secret',
    );
    const [told] = replica.refused();
    expect(told).toMatchObject({ space: SPACE, coll: 'completion', code: 'x', what: {}, rec: '' });
    await replica.forgetRefused(told?.op ?? '');
    expect(await disk('tablet', 'refused')).toEqual([]);
  });

  it('tells the author of what waited when its content was erased', async () => {
    const replica = await world.open(tablet);
    world.server.refuse = (op) => ({ op: op.op, s: 'gone' });
    await replica.event(SPACE, 'completion', { note: 'secret' });
    await replica.syncNow();

    expect(replica.refused()).toMatchObject([{ coll: 'completion', code: 'erased', bare: true }]);
    expect(JSON.stringify(await disk('tablet', ...STORES))).not.toContain('secret');
  });
});

describe('too long without the server', () => {
  beforeEach(() => (world.server.leaseMs = HOUR));

  it('all that was fetched goes, what waits stays, and signing in brings it back', async () => {
    const replica = await world.open(tablet);
    await replica.set(SPACE, 'reminder', 'r', { title: 'Frukost' });
    await settle();
    tablet.network.fate = () => 'lost';
    await replica.event(SPACE, 'completion', { note: 'waits' });
    await tablet.machine.pass(HOUR + 120_000);

    expect(replica.spaces()).toEqual([]);
    expect(replica.status().trouble).toBe('lease_over');
    expect(JSON.stringify(await disk('tablet', 'base', 'acked'))).toBe('[]');
    expect(world.wiped).toBe(1);

    tablet.network.fate = () => 'ok';
    await (await replica.tend()).belongTo('account-1');
    await replica.syncNow();
    expect(replica.rows(SPACE, 'reminder')).toHaveLength(1);
    expect(replica.rows(SPACE, 'completion')).toHaveLength(1);
    expect(replica.status()).toMatchObject({ pending: 0, trouble: null });
  });

  it('is noticed at the next start, before anything is shown', async () => {
    const replica = await world.open(tablet);
    await replica.set(SPACE, 'reminder', 'r', { title: 'Frukost' });
    await settle();
    await replica.close();
    tablet.machine.time += HOUR + 1;
    tablet.network.fate = () => 'lost';

    const again = await world.open(tablet, { account: null, lead: false });
    expect(again.spaces()).toEqual([]);
    expect(await disk('tablet', 'base')).toEqual([]);
  });

  it('a clock that is set back wins no time', async () => {
    const { machine } = tablet;
    let back = 0;
    const platform = Object.assign(Object.create(machine) as typeof machine, {
      now: () => machine.time - back,
    });
    const replica = await world.open(tablet, { platform });
    tablet.network.fate = () => 'lost';
    await machine.pass(0.75 * HOUR);
    back = HOUR;
    await machine.pass(0.3 * HOUR);

    expect(replica.spaces()).toEqual([]);
    expect(replica.status().trouble).toBe('lease_over');
  });
});

it('what was said aloud goes when somebody signs out', async () => {
  const replica = await world.open(tablet);
  await (await replica.tend()).forget({ leaveUnsent: false });

  expect(dropped).toEqual(['speech']);
});

describe('a device that was revoked', () => {
  function revoke(): void {
    const real = tablet.network.hello.bind(tablet.network);
    tablet.network.hello = async (body) => {
      await real(body);
      throw new SyncError('wipe', null, 'nonce-1');
    };
  }

  it('forgets everything, its own files too, and says so', async () => {
    const session = world.server.session('sid', 'account-1');
    const replica = await world.open(tablet, { session });
    await replica.event(SPACE, 'completion', { note: 'secret' });
    await settle();
    const before = world.server.hellos[0]?.device_id;
    revoke();
    await (await replica.tend()).belongTo('account-1');
    await replica.syncNow();
    await settle();

    expect(JSON.stringify(await disk('tablet', ...STORES))).not.toMatch(/secret|account-1/);
    expect(await disk('tablet', 'keys')).toEqual([]);
    expect([...dropped].sort()).toEqual(['mos-1', 'mos-2', 'speech', 'worker']);
    expect(world.server.wipes).toEqual([{ device_id: before, nonce: 'nonce-1' }]);
    expect(replica.spaces()).toEqual([]);
    expect(world.wiped).toBeGreaterThan(0);
  });

  it('does so on a hint too, and tells later what it could not tell at once', async () => {
    const replica = await world.open(tablet);
    tablet.network.fate = () => 'lost';
    for (const listener of world.server.listeners) listener.wipe('nonce-2');
    await settle();
    expect(await disk('tablet', 'base', 'space')).toEqual([]);
    expect(world.server.wipes).toEqual([]);
    await replica.close();

    tablet.network.fate = () => 'ok';
    await world.open(tablet);
    await settle();
    expect(world.server.wipes).toMatchObject([{ nonce: 'nonce-2' }]);
  });

  it('goes on with it at the next start when it was cut short', async () => {
    const replica = await world.open(tablet, { session: world.server.session('sid', 'account-1') });
    await replica.event(SPACE, 'completion', { note: 'secret' });
    await settle();
    // eslint-disable-next-line @typescript-eslint/unbound-method -- put back below, and called with its own `this`
    const real = IDBObjectStore.prototype.clear;
    IDBObjectStore.prototype.clear = function () {
      if (this.name === 'meta') throw new DOMException('killed', 'NotAllowedError');
      return real.apply(this);
    };
    await expect((await replica.tend()).wipe('nonce-3')).rejects.toThrow('killed');
    IDBObjectStore.prototype.clear = real;
    await replica.close();
    // The keys went first.
    expect(await disk('tablet', 'keys')).toEqual([]);

    const again = await world.open(tablet, { account: null });
    expect(again.spaces()).toEqual([]);
    expect(JSON.stringify(await disk('tablet', ...STORES))).not.toMatch(/secret/);
    await settle();
    expect(world.server.wipes).toMatchObject([{ nonce: 'nonce-3' }]);
  });
});
