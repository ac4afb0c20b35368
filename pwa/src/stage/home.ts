/** Björkbacken on a Friday: eight residents, two of whom need somebody. Only for the stage. */
import type { Role, Session } from '../app/session';
import { MemoryReplica } from '../offline/memory';
import type { Json } from '../offline/model';
import type { Category } from '../plan/model';
import { MINUTE_MS, instant, wallTime } from '../plan/time';
import { furnishMedicines } from './medication';
import { answerApi, furnishForStaff } from './supporter';

const ZONE = 'Europe/Stockholm';
const EVERY_DAY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

interface Planned {
  title: string;
  category: Category;
  symbol: string;
  at: string;
  minutes: number;
  note?: string;
  critical?: boolean;
  checkable?: boolean;
  before?: number;
  days?: string[];
}
interface Person {
  id: string;
  name: string;
  flat: string;
  face: string;
  plan: Planned[];
  /** Times that nobody answered. All other past ones were done, five minutes after they began or ended. */
  unanswered?: string[];
  pause?: { from: string; to: string; why: string };
}

const eat = (title: string, at: string, minutes: number, symbol: string, note = ''): Planned => ({
  title,
  category: 'meal',
  symbol,
  at,
  minutes,
  note,
});
const medicine = (at: string, note = 'Metoprolol 50 mg. 1 tablett med vatten.'): Planned => ({
  title: 'Medicin',
  category: 'medication',
  symbol: 'tablet-and-water',
  at,
  minutes: 0,
  note,
  critical: true,
});
const sleep = (at: string, minutes: number): Planned => ({
  title: 'Sova',
  category: 'sleep',
  symbol: 'sleep',
  at,
  minutes,
  checkable: false,
});
const rest = (at: string, minutes: number): Planned => ({
  title: 'Vila',
  category: 'rest',
  symbol: 'sofa',
  at,
  minutes,
  checkable: false,
});
const act = (
  title: string,
  at: string,
  minutes: number,
  symbol: string,
  category: Category = 'movement',
) => ({
  title,
  category,
  symbol,
  at,
  minutes,
});

const PEOPLE: Person[] = [
  {
    id: 'elsa',
    name: 'Elsa Lindqvist',
    flat: '1',
    face: 'face-older-woman',
    plan: [
      eat('Frukost', '07:30', 45, 'porridge', 'Gröt och lingon'),
      medicine('08:00'),
      act('Dusch', '09:00', 45, 'shower', 'hygiene'),
      eat('Mellanmål', '10:00', 25, 'banana'),
      act('Promenad', '10:45', 45, 'walk'),
      eat('Lunch', '12:00', 45, 'plate-fish', 'Fisk med potatis'),
      rest('13:00', 60),
      eat('Mellanmål', '14:30', 30, 'strawberry'),
      act('Pussel', '15:15', 60, 'puzzle', 'other'),
      eat('Middag', '17:30', 45, 'casserole', 'Kalops'),
      act('Radio', '19:00', 60, 'radio', 'other'),
      medicine('20:00'),
      eat('Kvällsmål', '20:30', 30, 'sandwich'),
      sleep('22:00', 540),
    ],
  },
  {
    id: 'amir',
    name: 'Amir Haddad',
    flat: '2',
    face: 'face-man-beard-dark',
    plan: [
      eat('Frukost', '08:00', 30, 'bread'),
      act('Snickeri', '09:00', 150, 'carpentry'),
      eat('Lunch', '12:00', 45, 'pasta'),
      act('Gym', '13:30', 60, 'gym'),
      eat('Mellanmål', '15:00', 30, 'apple'),
      act('Dusch', '16:30', 45, 'shower', 'hygiene'),
      eat('Middag', '18:00', 45, 'rice'),
      act('Spel', '19:30', 60, 'dice', 'other'),
      eat('Kvällsmål', '21:30', 30, 'yoghurt'),
      sleep('22:30', 510),
    ],
  },
  {
    id: 'gunnar',
    name: 'Gunnar Öberg',
    flat: '3',
    face: 'face-man-bald',
    plan: [
      eat('Frukost', '07:00', 40, 'egg'),
      medicine('07:30'),
      eat('Kaffe', '09:30', 20, 'coffee'),
      act('Tidningen', '10:15', 45, 'newspaper', 'other'),
      medicine('11:45'),
      eat('Lunch', '12:15', 45, 'meatballs'),
      rest('13:15', 60),
      eat('Mellanmål', '15:00', 25, 'bun'),
      eat('Middag', '17:00', 45, 'stew'),
      act('Promenad', '18:30', 60, 'walk'),
      medicine('20:00'),
      eat('Kvällsmål', '20:15', 30, 'tea'),
      sleep('21:30', 540),
    ],
    unanswered: ['11:45'],
  },
  {
    id: 'maja',
    name: 'Maja Svensson',
    flat: '4',
    face: 'face-woman-blond',
    plan: [
      eat('Frukost', '07:15', 30, 'yoghurt'),
      act('Verksamhet', '08:30', 390, 'school'),
      eat('Mellanmål', '15:30', 30, 'pear'),
      rest('16:30', 45),
      eat('Middag', '17:45', 45, 'pizza'),
      act('Dusch', '19:00', 30, 'shower', 'hygiene'),
      eat('Kvällsmål', '21:00', 30, 'sandwich'),
      sleep('22:00', 540),
    ],
  },
  {
    id: 'birgitta',
    name: 'Birgitta Ek',
    flat: '5',
    face: 'face-older-woman-medium',
    plan: [
      eat('Frukost', '07:30', 45, 'porridge'),
      medicine('08:00'),
      eat('Mellanmål', '10:00', 25, 'banana'),
      act('Sitta ute', '11:00', 45, 'garden', 'other'),
      eat('Lunch', '12:30', 45, 'fish'),
      rest('13:30', 60),
      eat('Mellanmål', '15:00', 25, 'strawberry'),
      eat('Middag', '17:30', 45, 'soup'),
      medicine('20:00'),
      eat('Kvällsmål', '20:30', 30, 'tea'),
      sleep('21:30', 570),
    ],
    unanswered: ['07:30', '10:00'],
  },
  {
    id: 'tor',
    name: 'Tor Åkesson',
    flat: '6',
    face: 'face-man-curly',
    plan: [
      eat('Frukost', '07:00', 30, 'bread'),
      act('Borsta tänderna', '08:00', 15, 'toothbrush', 'hygiene'),
      eat('Mellanmål', '09:45', 20, 'apple'),
      eat('Lunch', '12:00', 45, 'sausage'),
      medicine('14:00'),
      eat('Mellanmål', '14:30', 20, 'bun'),
      act('Musik', '16:00', 60, 'guitar', 'other'),
      eat('Middag', '17:30', 45, 'chicken'),
      eat('Kvällsmål', '20:30', 25, 'yoghurt'),
      sleep('22:00', 540),
    ],
  },
  {
    id: 'leila',
    name: 'Leila Karimi',
    flat: '7',
    face: 'face-woman-headscarf',
    plan: [
      eat('Frukost', '08:00', 45, 'tea'),
      eat('Lunch', '12:00', 45, 'rice'),
      eat('Middag', '18:00', 45, 'stew'),
      sleep('22:00', 540),
    ],
    pause: { from: '2026-11-25', to: '2026-11-30', why: 'Sjukhus' },
  },
  {
    id: 'nils',
    name: 'Nils Hedman',
    flat: '8',
    face: 'face-person',
    plan: [
      eat('Frukost', '08:30', 30, 'egg'),
      act('Medicinska strumpor', '09:30', 15, 'compression', 'hygiene'),
      act('Städa', '10:30', 30, 'cleaning', 'cleaning'),
      eat('Lunch', '12:00', 45, 'meat'),
      act('Snickeri', '13:15', 90, 'carpentry'),
      eat('Mellanmål', '15:30', 20, 'cookie'),
      eat('Middag', '18:00', 45, 'fish'),
      act('Film', '19:00', 90, 'tv', 'other'),
      eat('Kvällsmål', '21:00', 20, 'sandwich'),
      sleep('23:00', 480),
    ],
  },
];

const HELPERS: { id: string; name: string; role: Role }[] = [
  { id: 'sara', name: 'Sara Nyström', role: 'caregiver' },
  { id: 'jonas', name: 'Jonas Berg', role: 'caregiver' },
  { id: 'mona', name: 'Mona Lund', role: 'nurse' },
  { id: 'bo', name: 'Bo Ek', role: 'nurse' },
  { id: 'karin', name: 'Karin Lindqvist', role: 'relative' },
  { id: 'eva', name: 'Eva Ström', role: 'manager' },
  { id: 'admin', name: 'Per Holm', role: 'admin' },
];

const PERMISSIONS = [
  'plan.view',
  'plan.edit',
  'outcome.record',
  'alert.take',
  'meals.view',
  'medication.view',
  'statistics.view',
];

const NURSING = [...PERMISSIONS, 'medication.edit'];

export interface Wanted {
  now: number;
  screen: string;
  who: string | null;
  scene: string | null;
  level: number;
  offline: boolean;
}

export async function aHome(
  wanted: Wanted,
): Promise<{ replica: MemoryReplica; session: Session | null }> {
  const session = aSession(wanted);
  const replica = new MemoryReplica(session?.account.id ?? 'nobody');
  const people =
    session?.account.role === 'resident'
      ? PEOPLE.filter(({ id }) => id === session.account.id)
      : PEOPLE;
  for (const person of wanted.scene === 'unseen' ? [] : people) {
    const arrived = wanted.scene !== 'arriving';
    const role = session?.account.role ?? 'resident';
    replica.addSpace({ id: person.id, role, permissions: PERMISSIONS }, { arrived });
    if (arrived) await furnish(replica, person, wanted);
  }
  if (wanted.scene === 'arriving' || wanted.scene === 'unseen') return { replica, session };
  await alertsOf(replica, wanted);
  await furnishForStaff(replica);
  if (wanted.scene === 'medicines')
    await furnishMedicines(replica, NURSING, session?.account.role ?? 'resident');
  answerApi(wanted.now, { empty: wanted.scene === 'empty' });
  await playScene(replica, wanted);
  if (wanted.offline) {
    replica.state = {
      ...replica.state,
      online: false,
      pending: 2,
      oldestPendingAt: wanted.now - 5 * MINUTE_MS,
      lastSyncedAt: wanted.now - 90 * MINUTE_MS,
    };
  } else {
    replica.state = { ...replica.state, lastSyncedAt: wanted.now };
  }
  return { replica, session };
}

function aSession({ screen, who, scene }: Wanted): Session | null {
  if (screen === 'signin') return null;
  const resident =
    PEOPLE.find(({ name }) => name.toLowerCase().startsWith(who ?? 'elsa')) ?? PEOPLE[0];
  const helper = HELPERS.find(({ name }) => name.toLowerCase().startsWith(who ?? '')) ?? HELPERS[0];
  const account =
    screen === 'admin'
      ? HELPERS[5]
      : screen === 'resident' && resident
        ? { id: resident.id, name: resident.name, role: 'resident' as const }
        : helper;
  if (account === undefined) return null;
  return {
    account: { ...account, language: 'sv' },
    organisation: {
      id: 'org',
      name: 'Björkbacken',
      policy: 'care_record',
      zone: ZONE,
      language: 'sv',
    },
    units: [{ id: 'unit', name: 'Björkbacken' }],
    residents: PEOPLE.map(({ id, name, flat }) => ({
      space: id,
      account: id,
      name,
      flat,
      unit: 'unit',
      permissions: scene === 'unseen' ? ['care.manage'] : PERMISSIONS,
    })),
    people: [
      ...HELPERS,
      ...PEOPLE.map(({ id, name }) => ({ id, name, role: 'resident' as const })),
    ],
    manages: ['manager', 'admin'].includes(account.role),
    device: null,
    demo: false,
  };
}

async function furnish(replica: MemoryReplica, person: Person, wanted: Wanted): Promise<void> {
  const { now, level } = wanted;
  await replica.set(person.id, 'profile', `${person.id}-profile`, {
    name: person.name,
    flat: person.flat,
    face: person.face,
    zone: ZONE,
    language: 'sv',
    level,
    weekdays: 'all',
    theme: 'auto',
    night: { from: '23:00', to: '06:00' },
    parts: { morning: '06:00', day: '10:00', evening: '18:00', night: '23:00' },
    sound: 'soft',
    pause: person.pause ? [person.pause] : [],
  });
  const today = wallTime(now, ZONE).slice(0, 10);
  for (const planned of person.plan) {
    const id = `${person.id}-${planned.title.toLowerCase()}-${planned.at}`;
    await replica.set(person.id, 'reminder', id, reminderOf(planned));
    await answer(replica, person, planned, { id, today, now });
  }
}

function reminderOf(planned: Planned): Record<string, Json> {
  return {
    title: planned.title,
    category: planned.category,
    label: '',
    symbol: planned.symbol,
    note: planned.note ?? '',
    minutes: planned.minutes,
    checkable: planned.checkable ?? true,
    grace: null,
    criticality: planned.critical
      ? 'critical'
      : planned.category === 'meal'
        ? 'important'
        : 'normal',
    ring: { start: true, again: true, before: planned.before ?? null },
    rule: {
      zone: ZONE,
      kind: 'weekly',
      days: planned.days ?? EVERY_DAY,
      times: [planned.at],
      start: '2026-01-05',
    },
    deleted: false,
  };
}

/** What is over was done in time, unless the person is said not to have answered. */
async function answer(
  replica: MemoryReplica,
  person: Person,
  planned: Planned,
  { id, today, now }: { id: string; today: string; now: number },
): Promise<void> {
  if (planned.checkable === false || person.unanswered?.includes(planned.at) || person.pause)
    return;
  const start = instant(`${today}T${planned.at}`, ZONE);
  if (start + planned.minutes * MINUTE_MS > now || start === now) return;
  await replica.set(person.id, 'completion', `${id}-done`, {
    v: {
      occ: `${id}@${today}T${planned.at}`,
      at: new Date(start + Math.min(planned.minutes, 20) * MINUTE_MS).toISOString(),
      st: 'done',
      note: '',
    },
    by: person.id,
  });
}

async function alertsOf(replica: MemoryReplica, { now }: Wanted): Promise<void> {
  const today = wallTime(now, ZONE).slice(0, 10);
  if (today !== '2026-11-27') return;
  const at = (clock: string): string => new Date(instant(`${today}T${clock}`, ZONE)).toISOString();
  const occ = (
    person: string,
    title: string,
    clock: string,
  ): { occ: string; reminder: string } => ({
    occ: `${person}-${title}-${clock}@${today}T${clock}`,
    reminder: `${person}-${title}-${clock}`,
  });
  const put = async (space: string, id: string, groups: Record<string, Json>): Promise<void> => {
    if (replica.spaces().some((each) => each.id === space))
      await replica.set(space, 'alert', id, groups);
  };
  await put('gunnar', 'alert-gunnar', {
    what: { kind: 'late', ...occ('gunnar', 'medicin', '11:45'), at: at('11:45') },
    step: { n: 3, of: 5, next_at: at('12:15') },
    taken: null,
    closed: null,
  });
  await put('tor', 'alert-tor', {
    what: { kind: 'silent', ...occ('tor', 'lunch', '12:00'), at: at('10:52') },
    step: { n: 1, of: 3, next_at: at('12:22') },
    taken: null,
    closed: null,
  });
  await put('birgitta', 'alert-birgitta', {
    what: { kind: 'missed', ...occ('birgitta', 'mellanmål', '10:00'), at: at('10:30') },
    step: { n: 2, of: 5, next_at: at('12:32') },
    taken: { by: 'jonas', at: at('12:02'), again_at: at('12:32') },
    closed: null,
  });
}

/** Changes to Elsa's day, named so that a picture can ask for them. */
async function playScene(replica: MemoryReplica, { scene, now }: Wanted): Promise<void> {
  const today = wallTime(now, ZONE).slice(0, 10);
  const add = (planned: Planned): Promise<void> =>
    replica.set(
      'elsa',
      'reminder',
      `elsa-${planned.title.toLowerCase()}-${planned.at}`,
      reminderOf(planned),
    );
  const remove = async (id: string): Promise<void> =>
    replica.set('elsa', 'reminder', id, { deleted: true });
  const moment = (minutes: number): string => new Date(now + minutes * MINUTE_MS).toISOString();
  switch (scene) {
    case 'open':
      // The banana of ten o'clock was not answered; help has been asked, so it does not ring.
      await replica.set('elsa', 'completion', 'elsa-mellanmål-10:00-done', {
        v: { occ: 'nothing', at: moment(0), st: 'done', note: '' },
      });
      await replica.set('elsa', 'reminder', 'elsa-mellanmål-10:00', { grace: 240 });
      await add(medicine('10:00'));
      await replica.event('elsa', 'help', {
        occ: `elsa-mellanmål-10:00@${today}T10:00`,
        at: moment(-60),
        why: 'unwilling',
      });
      break;
    case 'shared':
      await add(act('Besök', '16:30', 150, 'home', 'meeting'));
      await add(act('Tänder', '18:30', 20, 'toothbrush', 'hygiene'));
      await add(act('Två', '20:00', 0, 'drop', 'medication'));
      break;
    case 'also':
      await add(act('Besök', '12:00', 60, 'family', 'meeting'));
      break;
    case 'long':
      await replica.set('elsa', 'reminder', 'elsa-lunch-12:00', {
        title: 'Läkarundersökning på vårdcentralen Björkbacken',
        note: 'Ta med leg och läkemedelslistan. Taxin står vid stora entrén. Karin följer med dig in.',
      });
      await add({ ...act('Arbetsterapeutens uppföljningssamtal', '13:00', 45, 'talk', 'meeting') });
      break;
    case 'middle':
      await replica.set('elsa', 'reminder', 'elsa-lunch-12:00', {
        title: 'Fysioterapi i badet',
        note: 'Ta med badkläder och en handduk, och skriv upp hur det kändes efteråt.',
      });
      break;
    case 'empty':
      for (const row of replica.rows('elsa', 'reminder')) await remove(row.rec);
      break;
    case 'answered':
      for (const clock of ['11:30', '12:00'])
        await replica.set('elsa', 'completion', `elsa-lunch-${clock}`, {
          v: { occ: `elsa-lunch-12:00@${today}T${clock}`, at: moment(0), st: 'done', note: '' },
        });
      break;
    case 'help':
      await replica.event('elsa', 'help', { at: moment(-1), why: 'help' });
      await replica.set('elsa', 'alert', 'alert-help', {
        what: { kind: 'help', at: moment(-1) },
        step: { n: 1, of: 3, next_at: null },
        taken: { by: 'sara', at: moment(0), again_at: moment(30) },
        closed: null,
      });
      break;
    case 'stood':
      await oldAlerts(replica);
      break;
    case null:
      break;
    default:
      break;
  }
  if (scene === 'night') await add({ ...medicine('02:30'), title: 'Nattmedicin' });
  // Pictures of the day show it seen: what rings is asked for by `scene=ring`.
  if (scene !== 'ring' && scene !== 'night') quiet(replica);
}

/** Alerts that nobody has seen to for two weeks, and a dose that two people recorded this morning. */
async function oldAlerts(replica: MemoryReplica): Promise<void> {
  const step = { n: 5, of: 5, next_at: null };
  const put = async (space: string, id: string, what: Record<string, Json>): Promise<void> =>
    replica.set(space, 'alert', id, { what, step, taken: null, closed: null });
  await put('amir', 'alert-amir', {
    kind: 'missed',
    occ: 'amir-frukost-08:00@2026-11-13T08:00',
    reminder: 'amir-frukost-08:00',
    at: '2026-11-13T08:00:00Z',
  });
  await put('tor', 'alert-tor', { kind: 'silent', at: '2026-11-24T15:10:00Z' });
  await put('gunnar', 'alert-double', {
    kind: 'double',
    occ: 'gunnar-medicin-07:30@2026-11-27T07:30',
    order: 'gunnar-medicin-07:30',
    at: '2026-11-27T07:20:00Z',
  });
}

/** What is on has been seen on this device, so that it does not fill the screen. */
function quiet(replica: MemoryReplica): void {
  for (const row of replica.rows('elsa', 'reminder')) {
    void replica.set('elsa', 'reminder', row.rec, {
      ring: { start: false, again: true, before: null },
    });
  }
}
