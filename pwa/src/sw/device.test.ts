import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { Database, type StoredSpace } from '../offline/database';
import { Store } from '../offline/store';
import type { BaseRow } from '../offline/view';
import { noticeOf } from './notices';

const DAY = 'day-of-elsa';
const MEDICATION = 'medication-of-elsa';
const OCC = 'order-1@2026-11-27T08:00';

const RULE = {
  ...{ zone: 'Europe/Stockholm', kind: 'weekly', start: '2026-11-01' },
  ...{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], times: ['08:00'] },
};
const ORDER = { drug: 'Metoprolol', strength: '50 mg', kind: 'times', stopped: null, rule: RULE };

type Door = typeof import('./device');
let door: Door;

/** A device that has Elsa's two spaces, and an order in the second. */
beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  vi.resetModules();
  const store = new Store('mos', (count) => new Uint8Array(count));
  await store.identity(0);
  await store.remember('session', { residents: [{ space: DAY, name: 'Elsa' }] });
  await store.close();
  await lie('space', aSpace(DAY, null), aSpace(MEDICATION, DAY));
  await lie(
    'base',
    aRow('order-1', 'order', { active: { ver: 'version-2', v: ORDER } }),
    aRow('alert-1', 'alert', { what: { kind: 'conflict', order: 'order-1' } }),
    aRow('alert-2', 'alert', { what: { kind: 'missed', occ: OCC, reminder: 'order-1' } }),
  );
  door = await import('./device');
});

function aSpace(id: string, of: string | null): StoredSpace {
  const kind = of === null ? 'resident' : 'medication';
  return { id, kind, of, role: 'nurse', permissions: [], cursor: '1.3.0' };
}

function aRow(rec: string, coll: string, doc: BaseRow['doc']): BaseRow & { space: string } {
  return { space: MEDICATION, rec, coll, seq: 1, doc, clk: {} };
}

async function lie(name: 'space' | 'base', ...all: object[]): Promise<void> {
  const database = new Database('mos');
  await database.write([name], async (tx) => {
    for (const each of all) await tx.objectStore(name).put(each as never);
  });
  await database.close();
}

describe('what lies here about a message of medication', () => {
  it('names the resident whose day the medication belongs to', async () => {
    const told = { kind: 'alert', space: MEDICATION, alert: 'alert-1', quiet: false } as const;

    expect(await door.knownAbout(told)).toMatchObject({ name: 'Elsa', alert: 'conflict' });
  });

  it('names the medicine as it is ordered now', async () => {
    const missed = { kind: 'alert', space: MEDICATION, alert: 'alert-2', quiet: false } as const;
    const ring = { kind: 'ring', space: MEDICATION, occ: OCC } as const;

    expect(await door.knownAbout(missed)).toMatchObject({
      title: 'Metoprolol 50 mg',
      name: 'Elsa',
      alert: 'missed',
    });
    expect(await door.knownAbout(ring)).toMatchObject({ title: 'Metoprolol 50 mg' });
  });
});

it('“Klar” on a message of medication says which version of the order it showed', async () => {
  const ring = { kind: 'ring', space: MEDICATION, occ: OCC } as const;
  const { target } = noticeOf(ring, await door.knownAbout(ring), (key) => key);
  await lie('base', aRow('order-1', 'order', { active: { ver: 'version-3', v: ORDER } }));

  await door.record('done', target);

  const store = new Store('mos', (count) => new Uint8Array(count));
  const { waiting } = await store.look(MEDICATION, null);
  await store.close();
  expect(waiting.map(({ op }) => op)).toMatchObject([
    { coll: 'completion', v: { occ: OCC, st: 'done', ver: 'version-2' } },
  ]);
});
