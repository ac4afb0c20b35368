/** Elsa's medicines on the stage: what holds, what waits, and two nurses who do not agree. */
import type { MemoryReplica } from '../offline/memory';
import type { Json } from '../offline/model';

const SPACE = 'elsa-medication';
const ZONE = 'Europe/Stockholm';
const EVERY_DAY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

type Fields = Record<string, Json>;

function order(drug: string, strength: string, change: Fields): Fields {
  return {
    ...{ drug, strength, form: 'tablett', dose: '1', unit: 'tablett', route: 'oral' },
    ...{ kind: 'times', rule: daily(['08:00']), from: '2026-03-02', until: null },
    ...{ prescriber: 'Dr Anna Alm', text: '', double: false, critical: false, window: null },
    ...{ stopped: null, ...change },
  };
}

function daily(times: string[]): Json {
  return { zone: ZONE, kind: 'weekly', days: EVERY_DAY, times, start: '2026-03-02' };
}

const needed = (change: Fields): Fields => {
  const { rule: _rule, ...rest } = order('Alvedon', '500 mg', {
    ...{ kind: 'as_needed', why_needed: 'Smärta', min_interval: 'PT4H', max_24h: 4 },
    ...{ follow_up: 60, ...change },
  });
  return rest;
};

const WARFARIN = order('Waran', '2,5 mg', {
  ...{ dose: '1.5', rule: daily(['18:00']), critical: true, double: false },
  text: '1,5 tablett kl 18, enligt PK-provet 20 november.',
});

export async function furnishMedicines(
  replica: MemoryReplica,
  permissions: readonly string[],
  role: string,
): Promise<void> {
  if (!replica.spaces().some(({ id }) => id === 'elsa')) return;
  replica.addSpace({ id: SPACE, role, permissions, kind: 'medication', of: 'elsa' });
  const put = (rec: string, v: Fields, by = 'mona', at = '2026-11-20T09:00:00Z'): Promise<void> =>
    replica.set(SPACE, 'order', rec, { active: { ver: `${rec}-1`, v, by, at, dig: '' } });
  await put('waran', WARFARIN);
  await put(
    'metoprolol',
    order('Metoprolol', '50 mg', { rule: daily(['08:00', '20:00']), text: 'Tas med vatten.' }),
  );
  await put('alvedon', needed({}));
  await put(
    'amoxicillin',
    order('Amoxicillin', '500 mg', {
      stopped: { at: '2026-11-01T08:00:00Z', why: 'Kuren är slut' },
    }),
  );
  await replica.set(SPACE, 'conflict', 'waran-conflict', {
    of: { coll: 'order', rec: 'waran' },
    state: 'open',
    opened: { at: '2026-11-27T08:40:00Z', active: 'waran-1' },
    candidates: {
      'waran-2': candidate('2026-11-27T07:12:00Z', 'mona', 'waran-0', 'base', {
        ...WARFARIN,
        dose: '1',
        text: '1 tablett kl 18, enligt PK-provet 26 november.',
      }),
      'waran-3': candidate('2026-11-27T08:31:00Z', 'bo', 'waran-1', 'open', {
        ...WARFARIN,
        dose: '2',
        text: '2 tabletter kl 18 enligt Dr Alm på telefon.',
      }),
    },
  });
  await replica.set(SPACE, 'alert', 'alert-waran', {
    what: { kind: 'conflict', order: 'waran', at: '2026-11-27T08:40:00Z' },
    step: { n: 1, of: 2, next_at: '2026-11-27T11:40:00Z' },
    taken: null,
    closed: null,
  });
  const given = (rec: string, occ: string, at: string, by: string, ver: string): Promise<void> =>
    replica.set(SPACE, 'completion', rec, { v: { occ, at, st: 'done', ver }, by });
  await given('m1', 'metoprolol@2026-11-27T08:00', '2026-11-27T07:04:00Z', 'jonas', 'metoprolol-1');
  await given('w1', 'waran@2026-11-26T18:00', '2026-11-27T08:02:00Z', 'jonas', 'waran-1');
  await given('w2', 'waran@2026-11-26T18:00', '2026-11-27T08:20:00Z', 'sara', 'waran-2');
  await given('w3', 'waran@2026-11-25T18:00', '2026-11-27T08:30:00Z', 'bo', 'waran-0');
  await given('a1', 'alvedon@2026-11-27T10:20', '2026-11-27T09:20:00Z', 'sara', 'alvedon-1');
}

function candidate(made: string, by: string, base: string, why: string, v: Fields): Json {
  return { base, trunk: base, v, by, at: '2026-11-27T08:40:00Z', made, device: 'd', why, was: [] };
}
