/** What the staff's screens need on the stage beyond Björkbacken's day: a medicine that may wait half an hour, and a server that
 *  answers for devices, units and people. */
import type { MemoryReplica } from '../offline/memory';

/** Gunnar's medicine of 11:45 is late, not yet missed. */
export async function furnishForStaff(replica: MemoryReplica): Promise<void> {
  if (!replica.spaces().some(({ id }) => id === 'gunnar')) return;
  await replica.set('gunnar', 'reminder', 'gunnar-medicin-11:45', {
    grace: 30,
    note: 'Metoprolol 50 mg, 1 tablett',
  });
  await replica.set('gunnar', 'alert', 'alert-gunnar', {
    step: { n: 1, of: 3, next_at: '2026-11-27T11:15:00Z' },
  });
  // Birgitta has eaten nothing since the tea of the evening before.
  await replica.set('birgitta', 'completion', 'birgitta-supper', {
    v: {
      occ: 'birgitta-kvällsmål-20:30@2026-11-26T20:30',
      at: '2026-11-26T19:45:00Z',
      st: 'done',
      note: '',
    },
    by: 'birgitta',
  });
}

type Answer = Record<string, unknown> | unknown[];

/** Answers `/api/v1/*` from memory; `empty` is a home on its first day. */
export function answerApi(now: number, { empty }: { empty: boolean }): void {
  const real = globalThis.fetch.bind(globalThis);
  const store = empty ? emptyHome() : fullHome();
  globalThis.fetch = async (input, init) => {
    const path =
      typeof input === 'string' ? input : input instanceof URL ? input.pathname : input.url;
    if (!path.startsWith('/api/v1/')) return real(input, init);
    const method = init?.method ?? 'GET';
    const body =
      typeof init?.body === 'string' ? (JSON.parse(init.body) as Record<string, unknown>) : {};
    const answer = respond(store, { method, path: path.slice('/api/v1/'.length), body, now });
    return answer === null
      ? new Response('{"code":"not_found","detail":"There is no such thing."}', { status: 404 })
      : new Response(JSON.stringify(answer), { status: method === 'POST' ? 201 : 200 });
  };
}

interface Asked {
  method: string;
  path: string;
  body: Record<string, unknown>;
  now: number;
}
type Store = Record<'units' | 'accounts' | 'residents' | 'relations', Record<string, unknown>[]>;

function respond(store: Store, { method, path, body, now }: Asked): Answer | null {
  if (/^residents\/[^/]+\/devices$/.test(path)) return devices(path.split('/')[1] ?? '', now);
  if (/^residents\/[^/]+\/quarantine$/.test(path)) return quarantine(path.split('/')[1] ?? '', now);
  if (/^accounts\/[^/]+\/invitations$/.test(path)) {
    return { token: 'Wq7xkT3nV0bR', expires_at: new Date(now + 7 * 86_400_000).toISOString() };
  }
  const [collection = '', id] = path.split('/');
  const rows = (store as Record<string, Record<string, unknown>[] | undefined>)[collection];
  if (rows === undefined) return null;
  if (method === 'GET') return rows;
  if (method === 'POST') {
    const made = { id: `new-${rows.length}`, space: `new-${rows.length}`, ...body };
    rows.push(completed(collection, made));
    return rows.at(-1) ?? null;
  }
  const row = rows.find((each) => each['id'] === id || each['space'] === id);
  if (row === undefined) return null;
  if (method === 'DELETE') rows.splice(rows.indexOf(row), 1);
  else Object.assign(row, body);
  return row;
}

function completed(collection: string, row: Record<string, unknown>): Record<string, unknown> {
  switch (collection) {
    case 'accounts':
      return { disabled: false, has_password: false, invited_until: null, within: true, ...row };
    case 'residents':
      return { account: `account-${String(row['id'])}`, archived_at: null, ...row };
    case 'relations':
      return {
        space: null,
        unit: null,
        valid_from: new Date().toISOString(),
        valid_to: null,
        ...row,
      };
    default:
      return { archived_at: null, ...row };
  }
}

function devices(space: string, now: number): Answer {
  const ago = (minutes: number): string => new Date(now - minutes * 60_000).toISOString();
  const silent = space === 'tor';
  return [
    {
      name: 'Surfplattan i köket',
      seen_at: ago(silent ? 82 : 1),
      push: !silent,
      ring_test: { at: ago(252), sound: true, permission: 'granted', push: true },
    },
  ];
}

/** What could not be taken of Elsa's. */
function quarantine(space: string, now: number): Answer {
  const ago = (minutes: number): string => new Date(now - minutes * 60_000).toISOString();
  if (space !== 'elsa') return { ops: [], lost: [], more: false };
  const op = { space, device: 'Surfplattan i köket', handled: null, rec: null };
  return {
    ops: [
      {
        ...{ ...op, op: 'q1', coll: 'completion', verdict: 'forbidden', code: 'revoked' },
        what: { v: { occ: 'elsa-lunch-12:00@2026-11-26T12:00', at: ago(1440), st: 'done' } },
        ...{ by: 'jonas', received_at: ago(30) },
      },
      {
        ...{ ...op, op: 'q2', coll: 'reminder', verdict: 'forbidden', code: 'permission' },
        ...{ rec: 'elsa-lunch-12:00', what: { title: 'Lunch i matsalen' } },
        ...{ by: 'karin', received_at: ago(95) },
      },
      {
        ...{ ...op, op: 'q3', coll: 'reminder', verdict: 'invalid', code: 'malformed' },
        ...{ what: 'torn', by: 'sara', received_at: ago(200) },
        handled: { how: 'dropped', by: 'sara', at: ago(180) },
      },
    ],
    lost: [{ device: 'Surfplattan i köket', count: 2, noticed_at: ago(50) }],
    more: false,
  };
}

function emptyHome(): Store {
  return {
    units: [],
    accounts: [person('admin', 'Per Holm', 'admin')],
    residents: [],
    relations: [],
  };
}

function person(
  id: string,
  name: string,
  role: string,
  units: string[] = ['unit'],
): Record<string, unknown> {
  return {
    id,
    name,
    role,
    email: `${id}@bjorkbacken.se`,
    language: 'sv',
    disabled: id === 'lotta',
    has_password: id !== 'mona' && id !== 'ines',
    invited_until:
      id === 'mona' ? '2026-12-02T11:00:00Z' : id === 'ines' ? '2026-11-20T11:00:00Z' : null,
    units,
    within: true,
  };
}

const SUPPORT = [
  'alert.take',
  'meals.edit',
  'meals.view',
  'outcome.record',
  'plan.edit',
  'plan.view',
];

function fullHome(): Store {
  const residents = [
    ['elsa', 'Elsa Lindqvist', '1'],
    ['amir', 'Amir Haddad', '2'],
    ['gunnar', 'Gunnar Öberg', '3'],
    ['maja', 'Maja Svensson', '4'],
    ['birgitta', 'Birgitta Ek', '5'],
    ['tor', 'Tor Åkesson', '6'],
    ['leila', 'Leila Karimi', '7'],
    ['nils', 'Nils Hedman', '8'],
  ].map(([space = '', name = '', flat = '']) => ({
    space,
    account: space,
    name,
    flat,
    unit: 'unit',
    language: 'sv',
    archived_at: null,
  }));
  const relation = (
    id: string,
    account: string,
    change: Record<string, unknown>,
  ): Record<string, unknown> => ({
    id,
    account,
    space: null,
    unit: null,
    permissions: SUPPORT,
    is_primary: false,
    consent: '',
    valid_from: '2026-01-05T08:00:00Z',
    valid_to: null,
    ...change,
  });
  return {
    units: [
      {
        id: 'unit',
        name: 'Björkbacken',
        zone: 'Europe/Stockholm',
        language: 'sv',
        archived_at: null,
      },
      { id: 'unit2', name: 'Ekhaga', zone: 'Europe/Stockholm', language: 'sv', archived_at: null },
    ],
    accounts: [
      person('eva', 'Eva Ström', 'manager'),
      person('ines', 'Ines Duarte', 'caregiver'),
      person('jonas', 'Jonas Berg', 'caregiver'),
      person('karin', 'Karin Lindqvist', 'relative', []),
      person('lotta', 'Lotta Frisk', 'caregiver'),
      person('mona', 'Mona Lund', 'nurse'),
      person('admin', 'Per Holm', 'admin', []),
      person('sara', 'Sara Nyström', 'caregiver'),
    ],
    residents,
    relations: [
      relation('r1', 'sara', { unit: 'unit' }),
      relation('r2', 'jonas', { unit: 'unit' }),
      relation('r3', 'sara', { space: 'elsa', is_primary: true }),
      relation('r4', 'karin', {
        space: 'elsa',
        permissions: ['plan.view'],
        consent: 'Samtycke från Elsa, 12 januari',
        valid_to: '2027-01-12T23:00:00Z',
      }),
      relation('r5', 'eva', { unit: 'unit', permissions: [...SUPPORT, 'care.manage'] }),
    ],
  };
}
