import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Database } from './database';
import { disk, EIGHT, SPACE, tamper, World, type Device } from './devices.testing';
import { FakeMachine, settle, type Fate } from './fake.testing';
import { millis } from './hlc';
import { Intake } from './intake';
import type { WireRow } from './protocol';
import { includes, size, without } from './ranges';
import { Store } from './store';
import { fingerprint, type Waiting } from './view';

const REMINDER = '0193b3a0-0000-7000-8000-00000000000a';

let world: World;
let tablet: Device;

beforeEach(() => {
  world = new World();
  tablet = world.device();
});

afterEach(() => world.close());

describe('loss', () => {
  it('P20: a server that lost its tail gets all of it back, within two weeks, the refused too', async () => {
    const replica = await world.open(tablet);
    for (const st of ['done', 'partly', 'asleep', 'refused']) {
      world.server.refuse = (op) =>
        op.k === 'event' && op.v['st'] === 'refused'
          ? { op: op.op, s: 'invalid', code: 'st' }
          : null;
      await replica.event(SPACE, 'completion', { st });
      await settle();
    }
    tablet.machine.time += 13 * 86_400_000;
    world.server.quarantine.splice(0);
    world.server.loseTail(SPACE, 1);
    for (let i = 0; i < 3; i++) await replica.syncNow();

    expect(world.server.space(SPACE).recs.size).toBe(3);
    expect(world.server.quarantine).toHaveLength(1);
    expect(replica.rows(SPACE, 'completion')).toHaveLength(3);
    expect(replica.status()).toMatchObject({ pending: 0, lost: 0 });
  });

  it('P26: what this device lost before it was sent is told once, shows as lost, and holds up nothing', async () => {
    tablet.network.fate = () => 'lost';
    const replica = await world.open(tablet);
    for (let i = 0; i < 5; i++) await replica.event(SPACE, 'completion', { i });
    for (const n of [2, 3]) await tamper('tablet', 'outbox', [SPACE, n]);
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    await replica.syncNow();

    expect(world.server.space(SPACE).recs.size).toBe(3);
    const told = world.server.hellos.flatMap(({ lost }) => lost?.[SPACE] ?? []);
    expect(told).toEqual([[2, 3]]);
    expect(replica.status()).toMatchObject({ pending: 0, lost: 2 });
    await replica.event(SPACE, 'completion', { i: 6 });
    await settle();
    expect(world.server.space(SPACE).recs.size).toBe(4);
    expect(replica.status().lost).toBe(2);
  });

  it('is no longer counted once somebody has read of it, and what is lost later is', async () => {
    tablet.network.fate = () => 'lost';
    const replica = await world.open(tablet);
    for (let i = 0; i < 3; i++) await replica.event(SPACE, 'completion', { i });
    await tamper('tablet', 'outbox', [SPACE, 2]);
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    expect(replica.status().lost).toBe(1);
    await replica.forgetLost();
    await replica.syncNow();
    expect(replica.status().lost).toBe(0);

    tablet.network.fate = () => 'lost';
    for (let i = 0; i < 3; i++) await replica.event(SPACE, 'completion', { i });
    await tamper('tablet', 'outbox', [SPACE, 5]);
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    expect(replica.status().lost).toBe(1);
    await replica.close();
    expect((await world.open(tablet)).status().lost).toBe(1);
  });

  it('is no longer counted when it was here after all', async () => {
    tablet.network.fate = () => 'lost';
    const replica = await world.open(tablet);
    for (let i = 0; i < 3; i++) await replica.event(SPACE, 'completion', { i });
    const [, second] = await disk('tablet', 'outbox');
    await tamper('tablet', 'outbox', [SPACE, 2]);
    // The answer that tells of the loss comes; the greeting that would own up to it does not.
    tablet.network.fate = (what) => (what === 'hello' && world.server.pushes > 0 ? 'lost' : 'ok');
    await replica.syncNow();
    expect(replica.status().lost).toBe(1);
    const db = new Database('tablet');
    await db.write(['outbox'], (tx) => tx.objectStore('outbox').put(second as Waiting));
    await db.close();
    tablet.network.fate = () => 'ok';
    await replica.syncNow();

    expect(replica.status()).toMatchObject({ pending: 0, lost: 0 });
    expect(world.server.space(SPACE).recs.size).toBe(3);
  });

  it('of an answer, in the middle of a series, is no loss: what the server misses is sent again', async () => {
    const replica = await world.open(tablet);
    await replica.event(SPACE, 'completion', { i: 1 });
    await settle();
    await replica.event(SPACE, 'completion', { i: 2 });
    await settle();
    const space = world.server.space(SPACE);
    // The server forgot one that it had answered.
    space.came.get([...space.came.keys()][0] ?? '')?.delete(1);
    await replica.event(SPACE, 'completion', { i: 3 });
    await settle();
    await replica.syncNow();

    expect(world.server.hellos.some(({ lost }) => lost !== undefined)).toBe(false);
    expect(replica.status()).toMatchObject({ pending: 0, lost: 0 });
    expect(replica.rows(SPACE, 'completion')).toHaveLength(3);
  });

  it('P14: another history of the server leaves the outbox as it is, and every cursor has its rows', async () => {
    const replica = await world.open(tablet);
    await replica.set(SPACE, 'reminder', REMINDER, { title: 'Frukost' });
    await settle();
    tablet.network.fate = () => 'lost';
    await replica.event(SPACE, 'completion', { st: 'done' });
    world.server.loseTail(SPACE, 0);
    tablet.network.fate = (what) => (what === 'push' ? 'lost' : 'ok');
    await replica.syncNow();
    // What the server lost waits beside what it never had.
    expect(replica.status().pending).toBe(2);

    tablet.network.fate = () => 'ok';
    for (let i = 0; i < 3; i++) await replica.syncNow();
    expect(world.server.space(SPACE).recs.size).toBe(2);
    expect(replica.rows(SPACE, 'reminder')).toHaveLength(1);
  });

  it('numbers as ranges: without what is held, nothing is left over or taken twice', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), numbers, (to, held) => {
        const left = without(
          [[1, to]],
          held.map((n) => [n, n] as const),
        );
        const expected = Array.from({ length: to }, (_, i) => i + 1).filter(
          (n) => !held.includes(n),
        );
        expect(size(left)).toBe(expected.length);
        for (const n of expected) expect(includes(left, n)).toBe(true);
      }),
    );
  });
});

describe('P12: the clock of a device', () => {
  it('is unique and strictly later with each change, over tabs, restarts and clocks that jump', async () => {
    const step = fc.oneof(
      fc.record({ jump: fc.integer({ min: -3 * 86_400_000, max: 3 * 86_400_000 }) }),
      fc.record({ write: fc.integer({ min: 0, max: 1 }) }),
      fc.constant({ restart: true as const }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        world = new World();
        const machine = new FakeMachine(EIGHT, 5);
        const make = (): Store[] => [0, 1].map(() => new Store('tablet', machine.random));
        let tabs = make();
        await tabs[0]?.identity(machine.time);
        for (const each of steps) {
          if ('jump' in each) machine.time += each.jump;
          else if ('write' in each) {
            const op = `0193b3a0-0000-7000-8000-${machine.random(4).join('').padStart(12, '0').slice(-12)}`;
            await tabs[each.write]?.add(
              SPACE,
              [{ op, k: 'event', coll: 'x', v: {} }],
              machine.time,
            );
          } else {
            for (const tab of tabs) await tab.close();
            tabs = make();
          }
        }
        for (const tab of tabs) await tab.close();
        const ops = (await disk('tablet', 'outbox')) as { n: number; op: { hlc: string } }[];
        const clocks = ops.map(({ op }) => op.hlc);
        expect(clocks).toEqual([...new Set(clocks)].sort());
        expect(ops.map(({ n }) => n)).toEqual(ops.map((_, i) => i + 1));
      }),
      { numRuns: 30 },
    );
  });

  it('goes on after the clocks that a pull has brought', async () => {
    const store = new Store('tablet', world.machine.random);
    await store.identity(EIGHT);
    const intake = new Intake(store.database);
    await intake.admit([{ id: SPACE, role: 'r', permissions: [] }]);
    const ahead = `${(EIGHT + 5000).toString(16).padStart(12, '0')}0003${'b'.repeat(16)}`;
    await intake.take(SPACE, '', [['x', REMINDER, 1, { t: 1 }, { t: ahead }]], '1.1.a', EIGHT);
    await store.add(SPACE, [{ op: REMINDER, k: 'event', coll: 'x', v: {} }], EIGHT);

    const [waiting] = (await disk('tablet', 'outbox')) as { op: { hlc: string } }[];
    expect((waiting?.op.hlc ?? '') > ahead).toBe(true);
    expect(millis(waiting?.op.hlc ?? '')).toBe(EIGHT + 5000);
    await store.close();
  });
});

describe('P22: the fingerprint', () => {
  const rows = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 40 });

  it('tells of any one row that is missing, doubled, or at another place', () => {
    fc.assert(
      fc.property(rows, fc.nat(), fc.integer({ min: 501, max: 600 }), (seqs, at, moved) => {
        const held = seqs.map((seq) => ({ seq, doc: {} }));
        const i = at % held.length;
        const one = held[i] ?? { seq: 0, doc: {} };
        const right = fingerprint(held);
        expect(fingerprint(held.filter((row) => row !== one))).not.toEqual(right);
        expect(fingerprint([...held, one])).not.toEqual(right);
        expect(
          fingerprint(held.map((row) => (row === one ? { seq: moved, doc: {} } : row))),
        ).not.toEqual(right);
      }),
    );
  });
});

describe('a whole space as a stream', () => {
  const OTHER = '0193b3a0-0000-7000-8000-000000000002';

  function fill(count: number): void {
    for (let i = 0; i < count; i++)
      world.server.write(OTHER, 'note', `rec-${String(i).padStart(5, '0')}`, { i });
  }

  it('is fetched once when the space is given, and pulled from there', async () => {
    const replica = await world.open(tablet);
    fill(1200);
    await replica.syncNow();

    expect(world.server.streamed).toEqual(['']);
    expect(replica.rows(OTHER, 'note')).toHaveLength(1200);
    world.server.write(OTHER, 'note', 'rec-00000', { i: -1 });
    await replica.syncNow();
    expect(replica.row(OTHER, 'note', 'rec-00000')?.doc).toEqual({ i: -1 });
    expect(world.server.streamed).toHaveLength(1);
  });

  it('goes on where it was cut, shows nothing half, and survives a restart in between', async () => {
    const replica = await world.open(tablet);
    fill(1200);
    let lines = 0;
    tablet.network.cut = () => ++lines > 700;
    await replica.syncNow();
    expect(replica.spaces().find(({ id }) => id === OTHER)?.arrived).toBe(false);
    expect(replica.rows(OTHER, 'note')).toEqual([]);
    await replica.close();

    world.server.write(OTHER, 'note', 'rec-00001', { i: 'meanwhile' });
    tablet.network.cut = () => false;
    const again = await world.open(tablet);
    await again.syncNow();

    expect(world.server.streamed).toEqual(['', 'rec-00698']);
    expect(again.rows(OTHER, 'note')).toHaveLength(1200);
    expect(again.row(OTHER, 'note', 'rec-00001')?.doc).toEqual({ i: 'meanwhile' });
    expect(await disk('tablet', 'staged')).toEqual([]);
  });

  it('begins anew when the server has another history meanwhile', async () => {
    const replica = await world.open(tablet);
    fill(50);
    let lines = 0;
    tablet.network.cut = () => ++lines > 20;
    await replica.syncNow();
    world.server.space(OTHER).epoch += 1;
    tablet.network.cut = () => false;
    await replica.syncNow();
    await replica.syncNow();

    expect(replica.rows(OTHER, 'note')).toHaveLength(50);
  });

  it('comes by pages where the server has no stream', async () => {
    world.server.streams = false;
    const replica = await world.open(tablet);
    fill(2500);
    await replica.syncNow();

    expect(replica.rows(OTHER, 'note')).toHaveLength(2500);
  });

  it('is taken when the first page says that there is more', async () => {
    fill(2500);
    const replica = await world.open(tablet);
    await replica.syncNow();

    expect(world.server.streamed).toEqual(['']);
    expect(replica.rows(OTHER, 'note')).toHaveLength(2500);
  });

  it('that is not what its first line says is not taken in', async () => {
    const replica = await world.open(tablet);
    fill(30);
    const real = world.server.snapshot.bind(world.server);
    world.server.snapshot = (path, from) => real(path, from).filter((_, i) => i !== 5);
    await replica.syncNow();

    expect(replica.rows(OTHER, 'note')).toHaveLength(30);
  });
});

describe('an own change, while news are fetched', () => {
  it('P15: is shown while pages come that do not have its record yet, over a restart too', async () => {
    const machine = new FakeMachine(EIGHT, 5);
    const tablet = world.device('tablet', machine);
    const phone = await world.open(world.device('phone'));
    let replica = await world.open(tablet);
    tablet.network.fate = (what) => (what === 'pull' ? 'lost' : 'ok');
    await replica.set(SPACE, 'reminder', 'r', { title: 'Frukost' });
    await replica.syncNow();
    // The record moves on, past what else there is to fetch.
    await phone.set(SPACE, 'reminder', 'x', { title: 'Lunch' });
    await phone.set(SPACE, 'reminder', 'r', { minutes: 5 });
    await phone.syncNow();
    const pull = world.server.pull.bind(world.server);
    world.server.pull = (body) => pull({ ...body, limit: 1 });

    const title = (): unknown => replica.row(SPACE, 'reminder', 'r')?.doc['title'];
    const seen = new Set<unknown>();
    let pages = 0;
    tablet.network.fate = (what) => (what === 'pull' && ++pages > 1 ? 'lost' : 'ok');
    replica.onChange(() => seen.add(title()));
    await replica.syncNow();
    // A verdict comes between two pages.
    await replica.event(SPACE, 'completion', { n: 1 });
    await replica.syncNow();
    expect(replica.row(SPACE, 'reminder', 'x')).toBeDefined();
    expect(replica.row(SPACE, 'reminder', 'r')?.doc).toEqual({ title: 'Frukost' });
    expect([...seen]).toEqual(['Frukost']);
    await replica.close();

    tablet.network.fate = () => 'ok';
    replica = await world.open(tablet);
    expect(title()).toBe('Frukost');
    await replica.syncNow();
    expect(replica.row(SPACE, 'reminder', 'r')?.doc).toEqual({ title: 'Frukost', minutes: 5 });
    expect(replica.status().pending).toBe(0);
    expect(await disk('tablet', 'outbox')).toEqual([]);
  });

  it('that is written while a pull is under way is not taken for one that it has brought', async () => {
    const tablet = world.device('tablet', new FakeMachine(EIGHT, 5));
    const replica = await world.open(tablet);
    tablet.network.fate = () => 'lost';
    const phone = await world.open(world.device('phone'));
    await phone.event(SPACE, 'completion', { by: 'phone' });
    await phone.syncNow();
    tablet.network.fate = () => 'ok';
    let written = '';
    tablet.network.meanwhile = async (what) => {
      if (what === 'pull' && written === '')
        written = await replica.event(SPACE, 'completion', { by: 'tablet' });
    };
    await replica.syncNow();
    await replica.syncNow();

    expect([...world.server.space(SPACE).recs.keys()]).toContain(written);
    expect(replica.rows(SPACE, 'completion')).toHaveLength(2);
    expect(replica.status().pending).toBe(0);
  });
});

describe('P14: a kill between any two steps', () => {
  it('leaves the old cursor with the old rows or the new with the new', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 12 }), async (steps) => {
        world = new World();
        const store = new Store('tablet', world.machine.random);
        await store.identity(EIGHT);
        const intake = new Intake(store.database);
        await intake.admit([{ id: SPACE, role: 'r', permissions: [] }]);
        const row = (title: string, seq: number): WireRow => ['x', REMINDER, seq, { title }, {}];
        await intake.take(SPACE, '', [row('old', 1)], '1.1.a', EIGHT);
        // The tab dies after so many of its requests: the transaction is aborted with it.
        const dying = new Database('tablet');
        // eslint-disable-next-line @typescript-eslint/unbound-method -- put back below, and called with its own `this`
        const real = IDBObjectStore.prototype.put;
        let left = steps;
        IDBObjectStore.prototype.put = function (...args) {
          if (left-- <= 0) throw new DOMException('killed', 'NotAllowedError');
          return real.apply(this, args);
        };
        await new Intake(dying)
          .take(SPACE, '1.1.a', [row('new', 2)], '1.2.b', EIGHT)
          .catch(() => undefined);
        IDBObjectStore.prototype.put = real;
        await dying.close();

        const { info, base } = await store.look(SPACE, null);
        expect([
          ['1.1.a', 'old'],
          ['1.2.b', 'new'],
        ]).toContainEqual([info?.cursor, base[0]?.doc['title']]);
        await store.close();
      }),
    );
  });
});

describe('P23: with a network that heals', () => {
  it('every outbox drains by itself, whatever happened before', async () => {
    const fate = fc.constantFrom<Fate>('ok', 'lost', 'answer_lost', 'twice');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fate, { maxLength: 12 }),
        fc.nat({ max: 6 }),
        fc.nat({ max: 3 }),
        async (fates, count, kept) => {
          world = new World();
          tablet = world.device();
          const replica = await world.open(tablet);
          const left = [...fates];
          tablet.network.fate = () => left.shift() ?? 'lost';
          for (let i = 0; i < count; i++) {
            await replica.event(SPACE, 'completion', { i });
            await settle(20);
          }
          world.server.loseTail(SPACE, Math.min(kept, world.server.space(SPACE).head));
          tablet.network.fate = () => 'ok';
          await tablet.machine.pass(5 * 60_000);

          expect(replica.status().pending).toBe(0);
          expect(world.server.space(SPACE).recs.size).toBe(count);
          await world.close();
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);
});
