import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EIGHT, SPACE, World, type Device } from './devices.testing';
import { FakeMachine, settle } from './fake.testing';
import { Intake } from './intake';
import type { Row } from './model';
import type { Hello } from './protocol';
import type { LocalReplica } from './replica';
import { Store } from './store';

const ORDER = '0193b3a0-0000-7000-8000-00000000000b';

let world: World;
let tablet: Device;

beforeEach(() => {
  world = new World();
  tablet = world.device();
});

afterEach(() => world.close());

function active(replica: LocalReplica): { ver: string; v: unknown } | undefined {
  return replica.row(SPACE, 'order', ORDER)?.doc['active'] as never;
}

function conflict(replica: LocalReplica): Row | undefined {
  return replica.rows(SPACE, 'conflict')[0];
}

function candidates(replica: LocalReplica): string[] {
  return Object.keys(conflict(replica)?.doc['candidates'] ?? {}).sort();
}

/** The latest that whoever uses the device sees: their own proposal, in a conflict too, else what holds. */
function latest(replica: LocalReplica): string | null {
  const held = (conflict(replica)?.doc['candidates'] ?? {}) as Record<string, { by: string }>;
  const all = Object.entries(held);
  const own = all.filter(([, { by }]) => by === world.server.account).map(([op]) => op);
  const waiting = replica.proposals(SPACE, 'order').filter(({ k }) => k === 'safety');
  const open = conflict(replica)?.doc['state'] === 'open';
  return waiting.at(-1)?.op ?? (open ? own.at(-1) : null) ?? active(replica)?.ver ?? null;
}

function propose(replica: LocalReplica, dose: string, base = latest(replica)): Promise<string> {
  return replica.safety(SPACE, 'order', ORDER, { v: { dose }, base });
}

/** A phone that has changed the dose while the tablet was out of reach. */
async function aheadOf(dose: string): Promise<LocalReplica> {
  const phone = await world.open(world.device('phone', new FakeMachine(EIGHT, 2)));
  tablet.network.fate = () => 'lost';
  await propose(phone, dose);
  await settle();
  return phone;
}

describe('a proposal', () => {
  it('changes nothing that is shown before the server has confirmed it and a pull has told', async () => {
    const replica = await world.open(tablet);
    tablet.network.fate = () => 'lost';
    const op = await propose(replica, '5');

    expect(replica.rows(SPACE, 'order')).toEqual([]);
    expect(replica.proposals(SPACE, 'order')).toMatchObject([
      { op, rec: ORDER, k: 'safety', v: { dose: '5' }, base: null },
    ]);
    expect(replica.status().pending).toBe(1);

    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    expect(active(replica)).toMatchObject({ ver: op, v: { dose: '5' } });
    expect(replica.proposals(SPACE, 'order')).toEqual([]);
  });

  it('starts from the own one before it, and says what the server had', async () => {
    const replica = await world.open(tablet);
    const first = await propose(replica, '5');
    await settle();
    tablet.network.fate = () => 'lost';
    const second = await propose(replica, '7');
    await propose(replica, '9');

    tablet.network.fate = () => 'ok';
    await replica.syncNow();

    const sent = world.server.space(SPACE).log.map(({ op }) => op);
    expect(sent).toMatchObject([
      { base: null, trunk: null },
      { base: first, trunk: first },
      { base: second, trunk: first },
    ]);
    expect(active(replica)?.v).toEqual({ dose: '9' });
  });

  it('that meets a change of somebody else waits beside it until a pull tells of the conflict', async () => {
    const replica = await world.open(tablet);
    await aheadOf('5');
    const mine = await propose(replica, '7');
    await settle();
    let pulls = 0;
    tablet.network.fate = (what) => (what === 'pull' && pulls++ === 0 ? 'lost' : 'ok');
    await replica.syncNow();

    // Answered, but not told of: it has not vanished meanwhile.
    expect(replica.proposals(SPACE, 'order').map(({ op }) => op)).toEqual([mine]);
    await replica.syncNow();
    expect(replica.proposals(SPACE, 'order')).toEqual([]);
    expect(candidates(replica)).toEqual([mine]);
    expect(active(replica)?.v).toEqual({ dose: '5' });
  });

  it('goes on from the own candidate, which it replaces', async () => {
    const replica = await world.open(tablet);
    await aheadOf('5');
    const first = await propose(replica, '7');
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    const second = await propose(replica, '8');
    await settle();

    const last = world.server.space(SPACE).log.map(({ op }) => op);
    expect(last.find(({ op }) => op === second)).toMatchObject({ base: first });
    expect(candidates(replica)).toEqual([second]);
  });

  it('written before somebody else’s change came is no version after it, online or not', async () => {
    const replica = await world.open(tablet);
    const phone = await world.open(world.device('phone', new FakeMachine(EIGHT, 2)));
    const first = await propose(replica, '5');
    await settle();
    await phone.syncNow();
    // The form is open; meanwhile the dose is doubled, and this tablet hears of it.
    const doubled = await propose(phone, '10');
    await settle();
    await replica.syncNow();
    expect(active(replica)).toMatchObject({ ver: doubled });
    const mine = await propose(replica, '5', first);
    await settle();

    const sent = world.server.space(SPACE).log.map(({ op }) => op);
    expect(sent.find(({ op }) => op === mine)).toMatchObject({ base: first, trunk: doubled });
    expect(active(replica)?.v).toEqual({ dose: '10' });
    expect(candidates(replica)).toEqual([mine]);
  });

  it("P9: stands beside another person's, on the tablet that both use", async () => {
    const replica = await world.open(tablet);
    await aheadOf('5');
    const theirs = await propose(replica, '7');
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    world.server.account = 'account-2';
    await (await replica.tend()).belongTo('account-2');
    replica.showAs('account-2');
    await replica.syncNow();
    const mine = await propose(replica, '8');
    await settle();

    const last = world.server.space(SPACE).log.map(({ op }) => op);
    expect(last.find(({ op }) => op === mine)).toMatchObject({ base: active(replica)?.ver });
    expect(candidates(replica)).toEqual([theirs, mine].sort());
  });

  it('that nobody may confirm here is shown as waiting, and the value stays', async () => {
    world.server.confirms = false;
    const replica = await world.open(tablet);
    await propose(replica, '5');
    await settle();

    expect(active(replica)).toBeUndefined();
    expect(candidates(replica)).toHaveLength(1);
  });

  it('P10: any proposals of two devices, in any order: what is shown was confirmed and pulled', async () => {
    const step = fc.record({
      who: fc.integer({ min: 0, max: 1 }),
      do: fc.constantFrom('propose', 'sync', 'lose', 'resolve', 'restart'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 16 }), async (steps) => {
        world = new World();
        const devices = [0, 1].map((i) =>
          world.device(`device-${i}`, new FakeMachine(EIGHT + i, i + 3)),
        );
        const replicas = await Promise.all(devices.map((device) => world.open(device)));
        for (const { network } of devices) network.fate = () => 'lost';
        const confirmed = new Set<string | undefined>([undefined]);
        let dose = 0;
        for (const { who, do: what } of steps) {
          const replica = replicas[who];
          const device = devices[who];
          if (replica === undefined || device === undefined) throw new Error('unreachable');
          const before = active(replica)?.ver;
          if (what === 'propose') {
            await propose(replica, String(++dose));
            // Nothing but a pull changes what is shown.
            expect(active(replica)?.ver).toBe(before);
          } else if (what === 'resolve') {
            const seen = candidates(replica);
            const base = before ?? null;
            const choose = seen[0] ?? base;
            if (choose !== null)
              await replica.resolve(SPACE, 'order', ORDER, { base, seen, choose, why: 'x' });
            expect(active(replica)?.ver).toBe(before);
          } else if (what === 'restart') {
            await replica.close();
            replicas[who] = await world.open(device);
          } else {
            let left = what === 'sync' ? 9 : 1;
            device.network.fate = () => (left-- > 0 ? 'ok' : 'answer_lost');
            await replica.syncNow();
            device.network.fate = () => 'lost';
          }
          const truth = world.server.space(SPACE).recs.get(ORDER)?.doc['active'];
          confirmed.add((truth as { ver: string } | undefined)?.ver);
          for (const each of replicas) expect(confirmed).toContain(active(each)?.ver);
        }
        for (const { network } of devices) network.fate = () => 'ok';
        for (let i = 0; i < 2; i++) for (const each of replicas) await each.syncNow();
        for (const each of replicas) {
          expect(each.status().pending).toBe(0);
          expect(each.proposals(SPACE, 'order')).toEqual([]);
        }
        await world.close();
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});

describe('a choice in a conflict', () => {
  it('makes the chosen value the active one and closes the conflict', async () => {
    const replica = await world.open(tablet);
    const phone = await aheadOf('5');
    const mine = await propose(replica, '7');
    tablet.network.fate = () => 'ok';
    await replica.syncNow();

    const base = active(replica)?.ver ?? null;
    await replica.resolve(SPACE, 'order', ORDER, {
      base,
      seen: [mine],
      choose: mine,
      why: 'Dr. A',
    });
    await settle();
    await phone.syncNow();

    for (const each of [replica, phone]) {
      expect(active(each)?.v).toEqual({ dose: '7' });
      expect(conflict(each)?.doc['state']).toBe('closed');
    }
    expect(replica.proposals(SPACE, 'order')).toEqual([]);
  });

  it('that did not see all is gone from here, its author is told, and the conflict stays', async () => {
    const replica = await world.open(tablet);
    await aheadOf('5');
    await propose(replica, '7');
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    const base = active(replica)?.ver ?? '';
    await replica.resolve(SPACE, 'order', ORDER, { base, seen: [], choose: base, why: 'x' });
    await settle();

    expect(replica.proposals(SPACE, 'order')).toEqual([]);
    expect(replica.refused()).toMatchObject([
      { coll: 'order', rec: ORDER, code: 'stale_resolve', what: { choose: base, base, seen: [] } },
    ]);
    expect(replica.status()).toMatchObject({ pending: 0 });
    expect(conflict(replica)?.doc['state']).toBe('open');
  });
});

describe('a choice that came too late', () => {
  /** The service worker and a page, or two tabs in turn, may speak to the server at once. */
  async function tooLate(): Promise<LocalReplica> {
    const replica = await world.open(tablet);
    await aheadOf('5');
    await propose(replica, '7');
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    tablet.network.fate = () => 'lost';
    const base = active(replica)?.ver ?? '';
    await replica.resolve(SPACE, 'order', ORDER, { base, seen: [], choose: base, why: 'x' });
    await settle();
    tablet.network.fate = () => 'ok';
    return replica;
  }

  it('is not sent again by the answer to a hello that was asked before it arrived', async () => {
    const replica = await tooLate();
    const store = new Store('tablet', tablet.machine.random);
    const intake = new Intake(store.database);
    const asked = { ...(await intake.news()), sent: await intake.sent() };
    const { device } = await store.identity(EIGHT);
    const body = { proto: [1, 1], device_id: device, sent: asked.sent } as unknown as Hello;
    const answer = world.server.hello(body);
    await replica.syncNow();
    const sent = world.server.pushed.length;
    await intake.greet(answer, asked, world.machine.time);
    await store.close();
    await replica.syncNow();

    expect(world.server.pushed).toHaveLength(sent);
    expect(replica.refused()).toMatchObject([{ code: 'stale_resolve' }]);
    expect(replica.status()).toMatchObject({ pending: 0, lost: 0 });
  });

  it('stays one when it is sent again', async () => {
    const replica = await tooLate();
    await replica.syncNow();
    world.server.loseTail(SPACE, 0);
    for (let i = 0; i < 3; i++) await replica.syncNow();

    expect(replica.refused()).toMatchObject([{ code: 'stale_resolve' }]);
  });
});

describe('a group of changes', () => {
  it('is written in one piece, carries one mark, and arrives', async () => {
    const replica = await world.open(tablet);
    await replica.group(SPACE, [
      { k: 'set', coll: 'reminder', rec: ORDER, groups: { title: 'Frukost' } },
      { k: 'event', coll: 'completion', v: { st: 'done' } },
    ]);
    await settle();

    const marks = world.server.space(SPACE).log.map(({ op }) => op.g);
    expect(marks[0]).toBeDefined();
    expect(new Set(marks).size).toBe(1);
    expect(replica.rows(SPACE, 'completion')).toHaveLength(1);
  });

  it('is never cut apart: not by what fits into a push, not by looking for what nobody can read', async () => {
    tablet.network.fate = () => 'lost';
    const replica = await world.open(tablet);
    for (const size of [2, 3, 4]) {
      await replica.group(
        SPACE,
        Array.from({ length: size }, (_, i) => ({
          k: 'event' as const,
          coll: 'completion',
          v: { st: size === 3 && i === 1 ? 'poison' : 'done' },
        })),
      );
    }
    world.server.poison = (op) => op.k === 'event' && op.v['st'] === 'poison';
    world.server.limits.ops = 5;
    tablet.network.fate = () => 'ok';
    await replica.syncNow();

    for (const { ops } of world.server.pushed) {
      for (const g of new Set(ops.map((op) => op.g))) {
        expect([2, 4]).toContain(ops.filter((op) => op.g === g).length);
      }
    }
    expect(world.server.space(SPACE).recs.size).toBe(6);
    expect(replica.refused()).toHaveLength(3);
  });

  it('of which the server refuses one is refused as a whole, and kept to be read', async () => {
    const replica = await world.open(tablet);
    world.server.refuse = (op) =>
      op.k === 'set' ? { op: op.op, s: 'invalid', code: 'length' } : null;
    await replica.group(SPACE, [
      { k: 'set', coll: 'reminder', rec: ORDER, groups: { title: '' } },
      { k: 'event', coll: 'completion', v: { st: 'done' } },
    ]);
    await settle();

    expect(replica.rows(SPACE, 'completion')).toEqual([]);
    const refused = Object.fromEntries(replica.refused().map((each) => [each.code, each]));
    expect(refused).toMatchObject({
      length: { coll: 'reminder', rec: ORDER, what: { title: '' } },
      group: { coll: 'completion', what: { v: { st: 'done' } } },
    });
  });

  it('of more than fifty is not begun', async () => {
    const replica = await world.open(tablet);
    const writes = Array.from({ length: 51 }, () => ({ k: 'event', coll: 'x', v: {} }) as const);
    await expect(replica.group(SPACE, writes)).rejects.toThrow(RangeError);
    expect(replica.status().pending).toBe(0);
  });
});

describe('what the server refused', () => {
  it('is a decision too that held until the server lost what it was about', async () => {
    const replica = await world.open(tablet);
    const phone = await aheadOf('10');
    await propose(replica, '20');
    tablet.network.fate = () => 'ok';
    await replica.syncNow();
    const [none, ten] = [active(replica)?.ver ?? null, candidates(replica)];
    const choice = { base: none, seen: ten, choose: ten[0] ?? null, why: 'the doctor' };
    const decided = await replica.resolve(SPACE, 'order', ORDER, choice);
    await replica.syncNow();
    expect(active(replica)).toMatchObject({ ver: decided });
    expect(replica.refused()).toEqual([]);

    // The phone, and with it what the decision was against, comes back no more.
    await phone.close();
    world.server.loseTail(SPACE, 0);
    for (let i = 0; i < 3; i++) await replica.syncNow();

    expect(replica.refused()).toMatchObject([{ op: decided, code: 'undone' }]);
    expect(replica.status()).toMatchObject({ pending: 0, trouble: 'refused' });
  });

  it('stays to be read, over a restart and in other tabs, until somebody has', async () => {
    const replica = await world.open(tablet);
    const other = await world.open(tablet);
    world.server.refuse = (op) => ({ op: op.op, s: 'forbidden', code: 'permission' });
    const op = await replica.event(SPACE, 'completion', { st: 'done' });
    await settle();

    const told = [{ op, space: SPACE, coll: 'completion', code: 'permission', at: EIGHT }];
    expect(replica.refused()).toMatchObject(told);
    expect(other.refused()).toMatchObject(told);
    expect(replica.status().trouble).toBe('refused');
    await replica.close();
    const again = await world.open(tablet);
    expect(again.refused()).toMatchObject(told);

    await again.forgetRefused(op);
    await settle();
    expect(again.refused()).toEqual([]);
    expect(other.refused()).toEqual([]);
    expect(again.status().trouble).toBeNull();
  });
});
