import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Database, StorageFull } from './database';
// The replica fetches these when it begins to lead; here that must take no time.
import './tend';
import { ACCESS_CHANNEL } from './leader';
import { stamp } from './hlc';
import { Intake } from './intake';
import type { WireRow } from './protocol';
import { FakeMachine, FakeNetwork, FakeServer, settle, type Fate } from './fake.testing';
import { LocalReplica } from './replica';
import { Store } from './store';

const EIGHT = Date.parse('2026-11-27T08:00:00Z');
const SPACE = '0193b3a0-0000-7000-8000-000000000001';
const OTHER = '0193b3a0-0000-7000-8000-0000000000ff';
const ENVELOPE = { proto: 1, schema: 1, batch: OTHER, client_now: '' };
const REMINDER = '0193b3a0-0000-7000-8000-00000000000a';

let machine: FakeMachine;
let server: FakeServer;
const opened: LocalReplica[] = [];

interface Device {
  readonly network: FakeNetwork;
  readonly machine: FakeMachine;
  readonly name: string;
}

function aDevice(name: string, on = machine): Device {
  return { network: new FakeNetwork(server), machine: on, name };
}

async function open(device: Device, { lead = true } = {}): Promise<LocalReplica> {
  const replica = await LocalReplica.open({
    store: new Store(device.name, device.machine.random),
    network: device.network,
    platform: device.machine,
    app: 'test',
    onWiped: () => undefined,
  });
  await (await replica.tend()).belongTo('account-1');
  opened.push(replica);
  if (lead) {
    replica.lead();
    await settle();
  }
  return replica;
}

function titles(replica: LocalReplica): unknown[] {
  return replica.rows(SPACE, 'reminder').map(({ doc }) => doc['title']);
}

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  machine = new FakeMachine(EIGHT);
  server = new FakeServer(() => machine.time);
  server.space(SPACE);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((replica) => replica.close()));
});

describe('more spaces than one request may ask of', () => {
  it('are asked of in parts, and every one of them arrives', async () => {
    const ids = Array.from(
      { length: 1200 },
      (_, i) => `0193b3a0-0000-7000-9000-${String(i).padStart(12, '0')}`,
    );
    for (const id of ids) server.space(id);
    const tablet = await open(aDevice('tablet'));
    await tablet.syncNow();
    const pulls = server.pulls;
    await tablet.syncNow();
    expect(server.pulls - pulls).toBe(3);
    expect(tablet.status().trouble).toBeNull();

    const phone = await open(aDevice('phone', new FakeMachine(EIGHT, 2)));
    await phone.syncNow();
    const [first, last] = [ids[0] ?? '', ids.at(-1) ?? ''];
    await phone.event(last, 'completion', { st: 'done' });
    await settle();
    await phone.syncNow();
    // One that is new, and one that is theirs no longer.
    server.space(OTHER);
    server.gone.set(first, 'revoked');
    server.accessChanged();
    await tablet.syncNow();

    expect(tablet.rows(last, 'completion')).toHaveLength(1);
    const held = tablet.spaces().map(({ id }) => id);
    expect(held).toHaveLength(1201);
    expect(held).toContain(OTHER);
    expect(held).not.toContain(first);
  }, 30_000);
});

describe('a server that is older than the app', () => {
  it('P21: is not sent what it would refuse for good; it waits, and goes once the server knows it', async () => {
    server.colls = ['completion', 'reminder'];
    const tablet = await open(aDevice('tablet'));
    await tablet.event(SPACE, 'mood', { v: 'good' });
    await tablet.event(SPACE, 'completion', { st: 'done' });
    await tablet.syncNow();
    expect(server.quarantine).toEqual([]);
    expect(tablet.status()).toMatchObject({ pending: 1, lost: 0, trouble: null });
    expect(tablet.rows(SPACE, 'mood')).toHaveLength(1);

    // The server was renewed; its stream broke, and comes back.
    server.colls = ['completion', 'reminder', 'mood'];
    server.hangUp();
    await machine.pass(10_000);
    server.poke();
    await settle();
    await tablet.syncNow();
    expect(tablet.status()).toMatchObject({ pending: 0, lost: 0 });
    expect(tablet.rows(SPACE, 'mood').map(({ pending }) => pending)).toEqual([false]);
    expect(server.space(SPACE).recs.size).toBe(2);
  });

  it('gets a group as a whole or not at all', async () => {
    server.colls = ['reminder'];
    const tablet = await open(aDevice('tablet'));
    await tablet.group(SPACE, [
      { k: 'set', coll: 'reminder', rec: REMINDER, groups: { title: 'Frukost' } },
      { k: 'event', coll: 'mood', v: { v: 'good' } },
    ]);
    await tablet.syncNow();
    expect([server.space(SPACE).recs.size, tablet.status().pending]).toEqual([0, 2]);
  });
});

describe('a week away', () => {
  const SPACES = Array.from(
    { length: 5 },
    (_, i) => `0193b3a0-0000-7000-8000-00000000010${String(i)}`,
  );

  it('comes back whole: what was written goes up, what others wrote comes down', async () => {
    for (const space of SPACES) server.space(space);
    const device = aDevice('tablet');
    const tablet = await open(device);
    device.network.fate = () => 'lost';
    for (let i = 0; i < 250; i++)
      await tablet.event(SPACES[i % 5] ?? '', 'completion', { st: 'done' });
    for (let i = 0; i < 1000; i++)
      server.write(SPACES[i % 5] ?? '', 'reminder', `r${String(i)}`, { title: String(i) });
    device.network.fate = () => 'ok';
    await tablet.syncNow();

    const counts = SPACES.map((space) => [
      tablet.rows(space, 'completion').filter(({ pending }) => !pending).length,
      tablet.rows(space, 'reminder').length,
    ]);
    expect(counts).toEqual(SPACES.map(() => [50, 200]));
    expect(tablet.status().pending).toBe(0);
  });

  it('tells screens once of an answer, however many spaces it is about', async () => {
    for (const space of SPACES) server.space(space);
    const tablet = await open(aDevice('tablet'));
    for (const space of SPACES) server.write(space, 'reminder', `r-${space}`, { title: 'Frukost' });
    const seen: number[] = [];
    tablet.onChange(() =>
      seen.push(SPACES.filter((space) => tablet.rows(space, 'reminder').length > 0).length),
    );
    await tablet.syncNow();

    expect(new Set(seen.filter((count) => count > 0))).toEqual(new Set([SPACES.length]));
  });
});

describe('a change', () => {
  it('is seen at once, reaches the server, and comes to another device', async () => {
    const tablet = await open(aDevice('tablet'));
    const phone = await open(aDevice('phone', new FakeMachine(EIGHT, 2)));

    await tablet.set(SPACE, 'reminder', REMINDER, { title: 'Frukost' });
    expect(titles(tablet)).toEqual(['Frukost']);
    await settle();

    expect(titles(phone)).toEqual(['Frukost']);
    expect(tablet.status()).toMatchObject({ online: true, pending: 0, trouble: null });
    expect(tablet.row(SPACE, 'reminder', REMINDER)?.pending).toBe(false);
  });

  it('made without a network is kept over a restart and arrives later, once', async () => {
    const device = aDevice('tablet');
    const before = await open(device);
    device.network.fate = () => 'lost';
    const done = await before.event(SPACE, 'completion', { occ: 'x@2026-11-27T08:00', st: 'done' });
    await settle();
    expect(before.status()).toMatchObject({ online: false, pending: 1 });
    await before.close();

    const after = await open(device);
    expect(after.rows(SPACE, 'completion').map(({ rec }) => rec)).toEqual([done]);
    device.network.fate = () => 'ok';
    await after.syncNow();

    expect([...server.space(SPACE).recs.keys()]).toEqual([done]);
    expect(after.status().pending).toBe(0);
    expect(after.row(SPACE, 'completion', done)?.doc['by']).toBe('account-1');
  });

  it('whose answer was lost is sent again and counts once', async () => {
    const device = aDevice('tablet');
    const replica = await open(device);
    let lost = 0;
    device.network.fate = (what) => (what === 'push' && lost++ === 0 ? 'answer_lost' : 'ok');

    await replica.event(SPACE, 'completion', { st: 'done' });
    await settle();
    await replica.syncNow();

    expect(server.space(SPACE).log).toHaveLength(1);
    expect(replica.rows(SPACE, 'completion')).toHaveLength(1);
    expect(replica.status().pending).toBe(0);
  });

  it('P15: never flickers between the answer and the pull that brings it back', async () => {
    const device = aDevice('tablet');
    const replica = await open(device);
    await replica.set(SPACE, 'reminder', REMINDER, { title: 'Frukost' });
    await settle();
    const seen: unknown[] = [];
    replica.onChange(() => seen.push(...titles(replica)));
    let pulls = 0;
    // The change is answered, but the pulls that would bring it back fail for a while.
    device.network.fate = (what) => (what === 'pull' && pulls++ < 3 ? 'lost' : 'ok');

    await replica.set(SPACE, 'reminder', REMINDER, { title: 'Gröt' });
    for (let i = 0; i < 5; i++) await replica.syncNow();

    expect(new Set(seen)).toEqual(new Set(['Gröt']));
    expect(replica.status().pending).toBe(0);
  });

  it('loses to a later one of somebody else, group by group', async () => {
    const tablet = aDevice('tablet');
    const mine = await open(tablet);
    await mine.set(SPACE, 'reminder', REMINDER, { title: 'Frukost', minutes: 30 });
    await settle();
    tablet.network.fate = () => 'lost';
    await mine.set(SPACE, 'reminder', REMINDER, { title: 'Gröt', note: 'Kanel' });
    machine.time += 5000;
    const theirs = await open(aDevice('phone', new FakeMachine(machine.time, 3)));
    await theirs.set(SPACE, 'reminder', REMINDER, { title: 'Smörgås' });
    await settle();

    tablet.network.fate = () => 'ok';
    await mine.syncNow();
    await theirs.syncNow();

    const doc = { title: 'Smörgås', minutes: 30, note: 'Kanel' };
    expect(mine.row(SPACE, 'reminder', REMINDER)?.doc).toEqual(doc);
    expect(theirs.row(SPACE, 'reminder', REMINDER)?.doc).toEqual(doc);
  });

  it('that the server refuses disappears and is told, and the others go through', async () => {
    const replica = await open(aDevice('tablet'));
    server.refuse = (op) =>
      op.k === 'set' && op.f['title'] === '' ? { op: op.op, s: 'invalid', code: 'length' } : null;

    await replica.set(SPACE, 'reminder', REMINDER, { title: 'Frukost' });
    await settle();
    await Promise.all([
      replica.set(SPACE, 'reminder', REMINDER, { title: '' }),
      replica.event(SPACE, 'completion', { st: 'done' }),
    ]);
    await settle();

    expect(titles(replica)).toEqual(['Frukost']);
    expect(replica.rows(SPACE, 'completion')).toHaveLength(1);
    expect(replica.status()).toMatchObject({ pending: 0, trouble: 'refused' });
    expect(server.quarantine).toHaveLength(1);
  });

  it('that nobody can read is put aside and does not stop the others', async () => {
    const device = aDevice('tablet');
    const replica = await open(device);
    device.network.fate = () => 'lost';
    server.poison = (op) => op.k === 'event' && op.v['st'] === 'poison';
    for (const st of ['done', 'done', 'poison', 'done', 'done']) {
      await replica.event(SPACE, 'completion', { st });
    }

    device.network.fate = () => 'ok';
    await replica.syncNow();

    expect(server.space(SPACE).recs.size).toBe(4);
    expect(replica.rows(SPACE, 'completion')).toHaveLength(5);
    expect(replica.status()).toMatchObject({ pending: 0, trouble: 'refused' });
  });

  it('waits when the server says later', async () => {
    const replica = await open(aDevice('tablet'));
    let busy = true;
    server.refuse = (op) => (busy ? { op: op.op, s: 'retry', after_ms: 5000 } : null);
    await replica.event(SPACE, 'completion', { st: 'done' });
    await settle();
    expect(replica.status().pending).toBe(1);

    busy = false;
    await machine.pass(6000);

    expect(server.space(SPACE).recs.size).toBe(1);
    expect(replica.status().pending).toBe(0);
  });
});

describe('a device', () => {
  it('P24: counts 1, 2, 3… over two tabs that write at once, and each tab sees both', async () => {
    const device = aDevice('tablet');
    const first = await open(device);
    const second = await open(device);
    device.network.fate = () => 'lost';

    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 ? first : second).event(SPACE, 'completion', { i }),
      ),
    );
    await settle();
    expect(first.rows(SPACE, 'completion')).toHaveLength(20);
    expect(second.rows(SPACE, 'completion')).toHaveLength(20);
    device.network.fate = () => 'ok';
    await second.syncNow();

    const log = server.space(SPACE).log;
    expect(log.map(({ op }) => op.n)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    const clocks = log.map(({ op }) => op.hlc);
    expect(clocks).toEqual([...new Set(clocks)].sort());
  });

  it('hands the lead to the next tab when the leading one is closed', async () => {
    const device = aDevice('tablet');
    const first = await open(device);
    const second = await open(device);
    await first.close();
    await settle();

    await second.event(SPACE, 'completion', { st: 'done' });
    await settle();

    expect(server.space(SPACE).recs.size).toBe(1);
  });

  it('goes on after it died with a request under way', async () => {
    const device = aDevice('tablet');
    const dying = await open(device);
    device.network.fate = () => 'never';
    await dying.event(SPACE, 'completion', { st: 'done' });
    await settle();

    // The tab is gone with its lock; nothing of it ever answers.
    const reborn = {
      ...device,
      network: new FakeNetwork(server),
      machine: new FakeMachine(EIGHT + 1000, 9),
    };
    const after = await open(reborn);
    await after.syncNow();

    expect(server.space(SPACE).log.map(({ op }) => op.n)).toEqual([1]);
    expect(after.status().pending).toBe(0);
  });

  it('whose clock jumps a day ahead and back keeps its order and loses nothing', async () => {
    const device = aDevice('tablet');
    const replica = await open(device);
    const real = machine.time;
    server.now = () => real;
    device.network.fate = () => 'lost';
    for (const jump of [0, 86_400_000, -3_600_000]) {
      machine.time = real + jump;
      await replica.set(SPACE, 'reminder', REMINDER, { title: `after ${jump}` });
    }
    machine.time = real;
    device.network.fate = () => 'ok';
    await replica.syncNow();
    await replica.syncNow();

    expect(titles(replica)).toEqual(['after -3600000']);
    expect(server.space(SPACE).recs.get(REMINDER)?.doc['title']).toBe('after -3600000');
  });

  it('writes later than all it has seen, so that what a person changes after looking wins', async () => {
    const replica = await open(aDevice('tablet'));
    const f = { title: 'Gröt' };
    const ahead = stamp(machine.time + 50_000, 3, 'b'.repeat(16));
    const op = {
      op: OTHER,
      n: 1,
      space: SPACE,
      hlc: ahead,
      k: 'set',
      coll: 'reminder',
      rec: REMINDER,
      f,
    } as const;
    server.push({ ...ENVELOPE, device_id: OTHER, ops: [op] });
    await settle();
    expect(titles(replica)).toEqual(['Gröt']);

    await replica.set(SPACE, 'reminder', REMINDER, { title: 'Smörgås' });
    await replica.syncNow();

    expect(server.space(SPACE).recs.get(REMINDER)?.doc['title']).toBe('Smörgås');
  });

  it('takes no answer in that is older than what it has', async () => {
    const store = new Store('tablet', machine.random);
    await store.identity(machine.time);
    const intake = new Intake(store.database);
    await intake.admit([{ id: SPACE, role: 'caregiver', permissions: [] }]);
    const row = (title: string, seq: number): WireRow => [
      'reminder',
      REMINDER,
      seq,
      { title },
      { title: 'a' },
    ];
    await intake.take(SPACE, '', [row('Frukost', 1)], '1.1.a', machine.time);

    // Two who fetch at once (a page and the service worker) asked with the same cursor.
    expect(await intake.take(SPACE, '1.1.a', [row('Lunch', 3)], '1.3.c', machine.time)).toBe(true);
    expect(await intake.take(SPACE, '1.1.a', [row('Gröt', 2)], '1.2.b', machine.time)).toBe(false);

    const { info, base } = await store.look(SPACE, null);
    expect([info?.cursor, base[0]?.doc['title']]).toEqual(['1.3.c', 'Lunch']);
    await store.close();
  });

  it('reads a whole space again when its fingerprint differs, and keeps what it has not sent', async () => {
    const device = aDevice('tablet');
    const replica = await open(device);
    await replica.set(SPACE, 'reminder', REMINDER, { title: 'Frukost' });
    await replica.event(SPACE, 'completion', { st: 'done' });
    await settle();
    // Bit rot on the disk: a record is gone that a pull had brought.
    const disk = new Database('tablet');
    await disk.write(['base'], (tx) => tx.objectStore('base').delete([SPACE, REMINDER]));
    await disk.close();
    await replica.close();

    const again = await open(device, { lead: false });
    expect(titles(again)).toEqual([]);
    const other = await open(aDevice('phone', new FakeMachine(EIGHT, 5)));
    await other.event(SPACE, 'completion', { st: 'partly' });
    await settle();
    again.lead();
    await again.event(SPACE, 'completion', { st: 'asleep' });
    await settle();

    expect(titles(again)).toEqual(['Frukost']);
    expect(again.rows(SPACE, 'completion')).toHaveLength(3);
  });

  it('P20: sends again what a restored server has lost', async () => {
    const replica = await open(aDevice('tablet'));
    for (const st of ['done', 'partly', 'asleep']) {
      await replica.event(SPACE, 'completion', { st });
      await settle();
    }
    server.loseTail(SPACE, 1);

    await replica.syncNow();
    await replica.syncNow();

    expect(server.space(SPACE).recs.size).toBe(3);
    expect(replica.rows(SPACE, 'completion')).toHaveLength(3);
  });

  it('P16: sends what it has before a space is taken away, then keeps nothing of it', async () => {
    const device = aDevice('tablet');
    const replica = await open(device);
    await replica.set(SPACE, 'reminder', REMINDER, { title: 'Frukost' });
    await settle();
    device.network.fate = () => 'lost';
    await replica.event(SPACE, 'completion', { st: 'done' });
    server.gone.set(SPACE, 'revoked');
    device.network.fate = () => 'ok';
    let late = 0;
    device.network.meanwhile = async (what) => {
      if (what === 'pull' && late++ === 0)
        await replica.event(SPACE, 'completion', { st: 'partly' });
    };
    await replica.syncNow();

    expect(server.quarantine).toHaveLength(2);
    expect(replica.spaces()).toEqual([]);
    const disk = new Database('tablet');
    const left = await disk.read(['base', 'outbox', 'acked', 'space'], async (tx) => [
      ...(await tx.objectStore('base').getAll()),
      ...(await tx.objectStore('outbox').getAll()),
      ...(await tx.objectStore('acked').getAll()),
      ...(await tx.objectStore('space').getAll()),
    ]);
    await disk.close();
    expect(left).toEqual([]);
  });

  it('says of a space whether it has been fetched yet, also while it is fetched anew', async () => {
    const device = aDevice('tablet');
    device.network.fate = (what) => (what === 'pull' ? 'lost' : 'ok');
    const replica = await open(device);
    expect(replica.spaces()).toMatchObject([{ id: SPACE, arrived: false }]);

    device.network.fate = () => 'ok';
    await replica.set(SPACE, 'reminder', REMINDER, { title: 'Frukost' });
    await replica.syncNow();
    expect(replica.spaces()).toMatchObject([{ id: SPACE, arrived: true }]);

    const disk = new Database('tablet');
    await new Intake(disk).distrust(SPACE);
    await disk.close();
    await replica.close();
    device.network.fate = () => 'lost';
    expect((await open(device)).spaces()).toMatchObject([{ id: SPACE, arrived: true }]);
  });

  it('gets a space it was given while it was running', async () => {
    const replica = await open(aDevice('tablet'));
    server.space('0193b3a0-0000-7000-8000-000000000002');
    await replica.syncNow();

    expect(replica.spaces().map(({ id }) => id)).toContain('0193b3a0-0000-7000-8000-000000000002');
  });

  it('opens the database again when the system closed it', async () => {
    const device = aDevice('tablet');
    const replica = await open(device);
    device.network.fate = () => 'lost';
    await replica.set(SPACE, 'reminder', REMINDER, { title: 'Frukost' });
    // eslint-disable-next-line @typescript-eslint/unbound-method -- put back below, and called with its own `this`
    const real = IDBDatabase.prototype.transaction;
    let broken = true;
    IDBDatabase.prototype.transaction = function (...args) {
      if (broken) {
        broken = false;
        throw new DOMException('Connection to Indexed Database server lost', 'UnknownError');
      }
      return real.apply(this, args);
    };
    await replica.event(SPACE, 'completion', { st: 'done' });
    IDBDatabase.prototype.transaction = real;

    expect(replica.status().pending).toBe(2);
  });

  it('says so when it is full, and keeps nothing half', async () => {
    const replica = await open(aDevice('tablet'));
    // eslint-disable-next-line @typescript-eslint/unbound-method -- put back below
    const real = IDBObjectStore.prototype.add;
    IDBObjectStore.prototype.add = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    await expect(replica.event(SPACE, 'completion', { st: 'done' })).rejects.toThrow(StorageFull);
    IDBObjectStore.prototype.add = real;
    expect(replica.status()).toMatchObject({ trouble: 'storage_full', pending: 0 });

    await replica.event(SPACE, 'completion', { st: 'done' });
    await settle();

    expect(replica.status().trouble).toBeNull();
    expect(server.space(SPACE).log.map(({ op }) => op.n)).toEqual([1]);
  });

  it('learns at once, in each tab, what may be done now', async () => {
    const told: unknown[] = [];
    machine.channel(ACCESS_CHANNEL, (message) => told.push(message));
    const replica = await open(aDevice('tablet'));
    const other = await open(aDevice('tablet'), { lead: false });

    server.permissions = ['plan.view'];
    server.accessChanged();
    await settle();

    expect(replica.spaces()[0]?.permissions).toEqual(['plan.view']);
    expect(other.spaces()[0]?.permissions).toEqual(['plan.view']);
    expect(told).toHaveLength(1);
  });

  it('asks again what may be done when no hint could come for a while', async () => {
    const replica = await open(aDevice('tablet'));
    server.poke();
    await settle();

    server.hangUp();
    server.permissions = ['plan.view'];
    await machine.pass(20_000);
    server.poke();
    await settle();

    expect(replica.spaces()[0]?.permissions).toEqual(['plan.view']);
  });

  it('polls without hints, backs off while nobody answers, and tries at once after a tap', async () => {
    const device = aDevice('tablet');
    await open(device);
    const quiet = server.pulls;
    await machine.pass(95_000);
    expect(server.pulls).toBeGreaterThan(quiet);

    let tries = 0;
    device.network.fate = () => {
      tries += 1;
      return 'lost';
    };
    await machine.pass(3_600_000);
    expect(tries).toBeLessThan(140);
    const before = tries;
    await opened[0]?.event(SPACE, 'completion', { st: 'done' });
    await settle();
    expect(tries).toBeGreaterThan(before);
  });
});

describe('any devices, any order, any loss', () => {
  const fate = fc.constantFrom<Fate>('ok', 'ok', 'lost', 'answer_lost', 'twice');
  const step = fc.oneof(
    fc.record({
      do: fc.constant('set' as const),
      rec: fc.integer({ min: 0, max: 2 }),
      group: fc.constantFrom('title', 'note'),
      value: fc.string({ maxLength: 3 }),
    }),
    fc.record({ do: fc.constant('event' as const), value: fc.string({ maxLength: 3 }) }),
    fc.record({
      do: fc.constant('sync' as const),
      fates: fc.array(fate, { minLength: 1, maxLength: 6 }),
    }),
    fc.record({ do: fc.constant('restart' as const) }),
    fc.record({
      do: fc.constant('wait' as const),
      ms: fc.integer({ min: -5000, max: 3 * 86_400_000 }),
    }),
  );
  const trace = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), step), { maxLength: 25 });

  it('P15: everyone ends with the same, no event is lost or doubled, and every view is base with own changes on top', async () => {
    await fc.assert(
      fc.asyncProperty(trace, async (steps) => {
        globalThis.indexedDB = new IDBFactory();
        const clock = new FakeMachine(EIGHT);
        server = new FakeServer(() => clock.time);
        server.space(SPACE);
        const devices = [0, 1, 2].map((i) => {
          const own = new FakeMachine(EIGHT + i * 7, i + 11);
          return { device: aDevice(`device-${i}`, own), replica: null as LocalReplica | null };
        });
        for (const each of devices) {
          each.replica = await open(each.device);
          each.device.network.fate = () => 'lost';
        }
        const events: string[] = [];

        for (const [which, what] of steps) {
          const each = devices[which];
          if (each === undefined || each.replica === null) throw new Error('unreachable');
          const { replica, device } = each;
          switch (what.do) {
            case 'set': {
              const rec = REMINDER.slice(0, -1) + String(what.rec);
              await replica.set(SPACE, 'reminder', rec, { [what.group]: what.value });
              break;
            }
            case 'event':
              events.push(await replica.event(SPACE, 'completion', { note: what.value }));
              break;
            case 'sync': {
              const fates = [...what.fates];
              device.network.fate = () => fates.shift() ?? 'lost';
              await replica.syncNow();
              device.network.fate = () => 'lost';
              break;
            }
            case 'restart':
              await replica.close();
              each.replica = await open(device);
              break;
            case 'wait':
              device.machine.time += what.ms;
          }
        }

        for (const { device } of devices) device.network.fate = () => 'ok';
        for (let i = 0; i < 2; i++) for (const { replica } of devices) await replica?.syncNow();
        const truth = [...server.space(SPACE).recs].map(([rec, { seq, doc }]) => ({
          rec,
          seq,
          doc,
        }));
        for (const { replica } of devices) {
          const rows = ['reminder', 'completion'].flatMap(
            (coll) => replica?.rows(SPACE, coll) ?? [],
          );
          const held = rows.map(({ rec, seq, doc }) => ({ rec, seq, doc }));
          expect(held.sort(byRec)).toEqual(truth.sort(byRec));
          expect(replica?.status().pending).toBe(0);
        }
        const kept = [...server.space(SPACE).recs]
          .filter(([, { event }]) => event)
          .map(([rec]) => rec);
        expect(kept.sort()).toEqual(events.sort());
        const numbers = server.space(SPACE).log.map(({ device, op }) => `${device} ${op.n}`);
        expect(new Set(numbers).size).toBe(numbers.length);
        await Promise.all(opened.splice(0).map((replica) => replica.close()));
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

function byRec(a: { rec: string }, b: { rec: string }): number {
  return a.rec < b.rec ? -1 : 1;
}
