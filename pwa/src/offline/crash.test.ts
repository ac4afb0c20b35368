import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { disk, EIGHT, SPACE, World } from './devices.testing';
import { FakeMachine, settle } from './fake.testing';

/** The app dies at its so-and-so-many-th request to the disk: every later one fails too, as of a tab that is no more. */
class Death {
  left = Infinity;
  readonly #disk = IDBObjectStore.prototype;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back, and called with their own `this`
  readonly #real = { put: this.#disk.put, add: this.#disk.add, delete: this.#disk.delete };

  watch(): void {
    for (const [name, real] of Object.entries(this.#real)) {
      const step = (): void => {
        if (this.left-- <= 0) throw new DOMException('dead', 'NotAllowedError');
      };
      Object.assign(this.#disk, {
        [name]: function (this: IDBObjectStore, ...args: [never]): IDBRequest<IDBValidKey> {
          step();
          return (real as (...args: [never]) => IDBRequest<IDBValidKey>).apply(this, args);
        },
      });
    }
  }

  end(): void {
    Object.assign(this.#disk, this.#real);
  }
}

let death: Death;

beforeEach(() => {
  vi.stubGlobal('reportError', () => undefined);
  death = new Death();
});

afterEach(() => {
  death.end();
  vi.unstubAllGlobals();
});

describe('an app that dies between any two steps', () => {
  it('P14, P23, P24: starts again with whole rows and whole numbers, and all that was written arrives once', async () => {
    const moment = fc.nat({ max: 60 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(moment, { minLength: 1, maxLength: 3 }),
        fc.scheduler(),
        async (deaths, scheduler) => {
          const world = new World();
          const phone = await world.open(world.device('phone', new FakeMachine(EIGHT, 77)));
          const written: string[] = [];
          for (const [life, at] of deaths.entries()) {
            const device = world.device('tablet', new FakeMachine(EIGHT + life, 100 + life));
            // The order in which answers come is the scheduler's.
            device.network.meanwhile = (what) => scheduler.schedule(Promise.resolve(), what);
            const replica = await world.open(device, { lead: false });
            death.watch();
            death.left = at;
            replica.lead();
            const writes = Array.from({ length: 3 }, (_, i) =>
              replica.event(SPACE, 'completion', { life, i }).then(
                (op) => written.push(op),
                () => undefined,
              ),
            );
            const group = replica
              .group(SPACE, [
                { k: 'event', coll: 'completion', v: { life, group: 1 } },
                { k: 'event', coll: 'completion', v: { life, group: 2 } },
              ])
              .catch(() => undefined);
            for (let i = 0; i < 25; i++) {
              await settle(30);
              if (scheduler.count() > 0) await scheduler.waitNext(1);
            }
            await Promise.all([...writes, group]);
            device.network.fate = () => 'never';
            await replica.close();
            death.end();
            const left = (await disk('tablet', 'outbox')) as { n: number }[];
            expect(new Set(left.map(({ n }) => n)).size).toBe(left.length);
          }

          const last = await world.open(world.device('tablet', new FakeMachine(EIGHT + 9, 9)));
          for (let i = 0; i < 3; i++) await last.syncNow();
          await phone.syncNow();

          const log = world.server.space(SPACE).log;
          const numbers = log.filter(({ op }) => op.n > 0).map(({ op }) => op.n);
          expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, i) => i + 1));
          const kept = [...world.server.space(SPACE).recs.keys()];
          for (const op of written) expect(kept).toContain(op);
          const groups = log.filter(({ op }) => op.g !== undefined);
          expect(groups.length % 2).toBe(0);
          for (const each of [last, phone]) {
            expect(
              each
                .rows(SPACE, 'completion')
                .map(({ rec }) => rec)
                .sort(),
            ).toEqual(kept.sort());
            expect(each.status()).toMatchObject({ pending: 0, lost: 0 });
          }
          await world.close();
        },
      ),
      { numRuns: 20 },
    );
  }, 60_000);
});
