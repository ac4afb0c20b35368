import { describe, expect, it } from 'vitest';

import type { Alert, Item, ItemState } from '../plan/model';
import {
  byFlat,
  finderOf,
  glanceOf,
  isSettled,
  isShown,
  lastMealAt,
  marksOf,
  needOf,
  needsYou,
  openAlerts,
  recentOf,
  shownAsOf,
  statusOf,
  taking,
  windowOf,
  type Facts,
  type Filter,
} from './overview';

const ZONE = 'Europe/Stockholm';
const DATE = '2026-11-27';

/** Friday 27 November, winter time: one hour ahead of UTC. */
function at(time: string, date = DATE): number {
  return Date.parse(`${date}T${time}:00+01:00`);
}

function anItem(from: string, state: ItemState, change: Partial<Item> = {}): Item {
  const start = at(from);
  return {
    occ: `r@${DATE}T${from}`,
    reminder: {
      id: 'r',
      title: 'Lunch',
      category: 'meal',
      label: '',
      symbol: 'lunch',
      note: '',
      minutes: 30,
      checkable: true,
      grace: null,
      criticality: 'normal',
      ring: { start: true, again: true, before: null },
      rule: { zone: ZONE, kind: 'once', at: `${DATE}T${from}` },
    },
    family: 'meal',
    start,
    end: start + 30 * 60_000,
    from,
    until: '',
    state,
    missedAt: start + 60 * 60_000,
    outcome: state === 'done' ? 'done' : null,
    completion: null,
    by: null,
    doneAt: state === 'done' ? start + 5 * 60_000 : null,
    snoozedUntil: null,
    rangAt: null,
    ...change,
  };
}

function anAlert(kind: Alert['kind'], change: Partial<Alert> = {}): Alert {
  return {
    id: `alert-${kind}`,
    kind,
    occ: null,
    reminder: null,
    unwilling: false,
    about: null,
    at: at('11:45'),
    step: { n: 3, of: 5, nextAt: null },
    taken: null,
    closed: null,
    ...change,
  };
}

function status(change: Partial<Facts>): ReturnType<typeof statusOf> {
  return statusOf({
    items: [],
    alerts: [],
    profile: { pause: [] },
    planned: true,
    arrived: true,
    date: DATE,
    now: at('12:14'),
    ...change,
  });
}

describe('why somebody is needed', () => {
  const now = at('12:44');
  const missed = { kind: 'missed', count: 1 } as const;
  const lunch = anItem('11:00', 'missed');
  const taken = { by: 'sara', at: at('12:40'), againAt: at('13:10') };

  it('is the first that was missed', () => {
    const items = [anItem('11:30', 'missed'), lunch];
    expect(needOf(missed, { items, alerts: [], now })).toMatchObject({
      item: { from: '11:00' },
      since: at('11:00'),
      taken: null,
    });
  });

  it('tells who took it, for as long as that rests', () => {
    const alerts = [anAlert('missed', { occ: lunch.occ, taken })];
    expect(needOf(missed, { items: [lunch], alerts, now })?.taken).toEqual(taken);
    expect(needOf(missed, { items: [lunch], alerts, now: at('13:10') })?.taken).toBeNull();
  });

  it('is not taken while one of several waits', () => {
    const other = anItem('11:30', 'missed');
    const alerts = [anAlert('missed', { occ: lunch.occ, taken })];
    expect(needOf(missed, { items: [lunch, other], alerts, now })?.taken).toBeNull();
  });

  it('is a call for help since it came', () => {
    const need = needOf(
      { kind: 'help', since: at('12:30'), paused: null, unwilling: false },
      { items: [lunch], alerts: [anAlert('help', { at: at('12:30') })], now },
    );
    expect(need).toEqual({ item: null, since: at('12:30'), taken: null });
  });

  it('is a dose given twice, although it is answered, until somebody takes it', () => {
    const dose = anItem('08:00', 'done');
    const facts = { items: [dose], alerts: [anAlert('double', { occ: dose.occ })] };
    const found = status(facts);
    expect(found).toMatchObject({ kind: 'double' });

    const need = needOf(found, { ...facts, now });
    expect(isShown({ status: found, need }, 'needs_you')).toBe(true);
    expect(isShown({ status: found, need }, 'on_time')).toBe(false);
    const seenTo = [anAlert('double', { occ: dose.occ, taken })];
    expect(needOf(found, { ...facts, alerts: seenTo, now })?.taken).toEqual(taken);
  });

  it('is nothing where all is well', () => {
    expect(needOf({ kind: 'on_time' }, { items: [], alerts: [], now })).toBeNull();
  });
});

describe('a resident has one status', () => {
  it('is not quieted by an answer to the occurrence when somebody calls for help', () => {
    const item = anItem('11:00', 'done');
    const settled = (['late', 'missed', 'help', 'silent'] as const).filter((kind) =>
      isSettled(anAlert(kind, { occ: item.occ }), item, { paused: false }),
    );
    expect(settled).toEqual(['late', 'missed']);
    expect(isSettled(anAlert('late'), null, { paused: false })).toBe(false);
  });

  it('leaves a dose given twice, and what two people wrote, to somebody, whatever was answered', () => {
    for (const item of [anItem('08:00', 'done'), anItem('08:00', 'paused')]) {
      const kinds = (['double', 'conflict'] as const).filter((kind) =>
        isSettled(anAlert(kind, { occ: item.occ }), item, { paused: true }),
      );
      expect(kinds).toEqual([]);
    }
  });

  it('is not called late or missed for what a pause silences, nor for a tablet that is silent meanwhile', () => {
    const item = anItem('11:00', 'paused');
    const kinds = ['late', 'missed', 'help', 'silent'] as const;
    const settled = kinds.filter((kind) =>
      isSettled(anAlert(kind, { occ: item.occ }), item, { paused: true }),
    );
    expect(settled).toEqual(['late', 'missed', 'silent']);
    // What was missed before the pause began is not of the pause.
    const before = anItem('11:00', 'missed');
    expect(isSettled(anAlert('missed', { occ: before.occ }), before, { paused: true })).toBe(false);
  });

  it('is on time while nothing waits', () => {
    const items = [anItem('08:00', 'done'), anItem('12:00', 'now'), anItem('13:00', 'later')];
    expect(status({ items })).toEqual({ kind: 'on_time' });
  });

  it('is late since the time that was planned', () => {
    expect(status({ items: [anItem('11:45', 'open')] })).toMatchObject({
      kind: 'late',
      minutes: 29,
    });
  });

  it('is not late for what nobody has to answer', () => {
    const item = anItem('11:45', 'open');
    const items = [{ ...item, reminder: { ...item.reminder, checkable: false } }];
    expect(status({ items }).kind).toBe('on_time');
  });

  it('counts each missed thing once, whoever noticed it', () => {
    const item = anItem('08:00', 'missed');
    const alerts = [anAlert('missed', { occ: item.occ })];
    expect(status({ items: [item, anItem('10:00', 'missed')], alerts })).toEqual({
      kind: 'missed',
      count: 2,
    });
  });

  it('believes the server’s alert before this device knows the occurrence', () => {
    expect(status({ alerts: [anAlert('late', { occ: 'x@y' })] })).toMatchObject({
      kind: 'late',
      minutes: 29,
    });
  });

  it('is on time again as soon as an outcome is given here, before the server closes the alert', () => {
    const item = anItem('08:00', 'done');
    expect(status({ items: [item], alerts: [anAlert('missed', { occ: item.occ })] }).kind).toBe(
      'on_time',
    );
  });

  it('who asked for help without a network has waited since then', () => {
    const help = anAlert('help', { at: at('12:30'), asked: at('11:20') });
    expect(status({ alerts: [help] })).toMatchObject({ kind: 'help', since: at('11:20') });
    const [last] = recentOf([{ space: 'elsa', items: [], alerts: [help] }], 5);
    expect(last).toMatchObject({ what: 'help', at: at('11:20') });
    // A clock that is ahead makes nobody ask in the future.
    const ahead = anAlert('help', { at: at('12:30'), asked: at('13:00') });
    expect(status({ alerts: [ahead] })).toMatchObject({ since: at('12:30') });
  });

  it('puts a call for help first, and a closed alert nowhere', () => {
    const alerts = [anAlert('silent'), anAlert('help')];
    expect(status({ alerts, items: [anItem('08:00', 'missed')] }).kind).toBe('help');
    const both = [anAlert('help', { unwilling: true }), anAlert('help')];
    expect(status({ alerts: both })).toMatchObject({ kind: 'help', unwilling: false });
    expect(status({ alerts: both.slice(0, 1) })).toMatchObject({ kind: 'help', unwilling: true });
    const closed = { closed: { at: 1, why: 'by_hand' } };
    expect(status({ alerts: [anAlert('help', closed)] }).kind).toBe('on_time');
  });

  it('is paused, whatever was late or missed before; only a call for help stands beside it', () => {
    const profile = { pause: [{ from: DATE, to: DATE, why: 'Sjukhus' }] };
    const alerts = (['late', 'missed', 'silent'] as const).map((kind) => anAlert(kind));
    const items = [anItem('10:00', 'missed'), anItem('11:30', 'open')];
    const paused = status({ profile, alerts, items });
    expect(paused.kind).toBe('paused');
    expect(needsYou(paused)).toBe(false);
    const help = status({ profile, alerts: [...alerts, anAlert('help')], items });
    expect(help).toMatchObject({ kind: 'help', paused: { until: DATE, why: 'Sjukhus' } });
    const need = { taken: null };
    const shown = (filter: Filter) => isShown({ status: help, need }, filter);
    expect([shown('paused'), shown('needs_you')]).toEqual([true, true]);
  });

  it('says nothing of a day that has not come to this device', () => {
    const fetching = status({ arrived: false, planned: false });
    expect(fetching.kind).toBe('fetching');
    expect(needsYou(fetching)).toBe(false);
    expect(isShown({ status: fetching, need: null }, 'on_time')).toBe(false);
  });

  it('is paused on both the first and the last day, and no longer', () => {
    const profile = { pause: [{ from: '2026-11-25', to: DATE, why: 'Sjukhus' }] };
    expect(status({ profile })).toEqual({ kind: 'paused', until: DATE, why: 'Sjukhus' });
    expect(status({ profile, date: '2026-11-28' }).kind).toBe('on_time');
  });

  it('does not call a resident without a plan on time', () => {
    expect(status({ planned: false }).kind).toBe('unplanned');
  });
});

describe('filters', () => {
  it('"needs you" holds late, missed, silent and help', () => {
    expect(needsYou({ kind: 'silent', since: 0 })).toBe(true);
    expect(needsYou({ kind: 'paused', until: null, why: '' })).toBe(false);
    const unplanned = { status: { kind: 'unplanned' }, need: null } as const;
    expect(isShown(unplanned, 'all')).toBe(true);
    expect(isShown(unplanned, 'on_time')).toBe(false);
  });

  it('"needs you" leaves out what a colleague has taken, until that has rested', () => {
    const lunch = anItem('11:00', 'missed');
    const taken = { by: 'sara', at: at('12:40'), againAt: at('13:10') };
    const shownAt = (now: number): boolean => {
      const alerts = [anAlert('missed', { occ: lunch.occ, taken })];
      const missed = status({ items: [lunch], alerts, now });
      const need = needOf(missed, { items: [lunch], alerts, now });
      return isShown({ status: missed, need }, 'needs_you');
    };
    expect([shownAt(at('12:44')), shownAt(at('13:10'))]).toEqual([false, true]);
  });
});

it('residents stand in the order of their doors', () => {
  const flats = [
    { flat: 'Lgh 10', name: 'A' },
    { flat: 'Lgh 2', name: 'B' },
  ];
  expect(flats.sort(byFlat).map((each) => each.flat)).toEqual(['Lgh 2', 'Lgh 10']);
});

describe('now and next', () => {
  it('shows what is late before what is on', () => {
    const late = anItem('11:45', 'open', { occ: 'late' });
    const on = anItem('12:00', 'now', { occ: 'on' });
    expect(glanceOf([late, on])).toMatchObject({
      now: { occ: 'late' },
      late: true,
      next: { occ: 'on' },
    });
  });

  it('says nothing is on between two things', () => {
    expect(glanceOf([anItem('13:00', 'later')])).toMatchObject({ now: null, late: false });
  });
});

describe('the last meal', () => {
  it('is when it was eaten, not when it was planned', () => {
    expect(lastMealAt([anItem('08:00', 'done', { doneAt: at('08:40') })])).toBe(at('08:40'));
  });

  it('a refused meal is no meal', () => {
    expect(lastMealAt([anItem('08:00', 'done', { outcome: 'refused' })])).toBeNull();
  });
});

describe('the strip', () => {
  it.each(['06:30', '12:14', '21:59', '22:00', '23:59', '00:00', '03:00', '06:29'])(
    'holds the moment %s',
    (time) => {
      const { from, to } = windowOf(at(time), ZONE);
      expect(at(time)).toBeGreaterThanOrEqual(from);
      expect(at(time)).toBeLessThan(to);
    },
  );

  it('labels each third hour', () => {
    expect(windowOf(at('12:14'), ZONE).ticks.map((tick) => tick.hour)).toEqual([
      '9',
      '12',
      '15',
      '18',
      '21',
    ]);
    expect(windowOf(at('23:00'), ZONE).ticks.map((tick) => tick.hour)).toEqual([
      '21',
      '24',
      '3',
      '6',
      '9',
    ]);
  });

  it('is longer by an hour in the night when the clocks go back', () => {
    const { from, to } = windowOf(Date.parse('2026-10-25T01:00:00Z'), ZONE);
    expect((to - from) / 3_600_000).toBe(17);
  });

  it('draws marks true to length and cuts what reaches outside', () => {
    const window = windowOf(at('12:14'), ZONE);
    const sleep = anItem('06:00', 'done', { end: at('07:00') });
    const [mark] = marksOf([sleep], window);
    expect(mark).toMatchObject({ left: 0, width: 3.13 });
  });

  it('paints what is now above what is done, and nothing that is paused', () => {
    const window = windowOf(at('12:14'), ZONE);
    const items = [anItem('12:00', 'now'), anItem('08:00', 'done'), anItem('13:00', 'paused')];
    expect(marksOf(items, window).map((mark) => mark.look)).toEqual(['done', 'now']);
  });

  it('what somebody did not want bears no check', () => {
    const items = [
      anItem('08:00', 'done', { outcome: 'refused' }),
      anItem('09:00', 'done', { outcome: 'unknown' }),
      anItem('10:00', 'done', { outcome: 'partly' }),
    ];
    const looks = marksOf(items, windowOf(at('12:14'), ZONE)).map((mark) => mark.look);
    expect(looks).toEqual(['answered', 'answered', 'done']);
  });

  it('a medicine is a point', () => {
    const [mark] = marksOf(
      [anItem('14:00', 'later', { end: at('14:00') })],
      windowOf(at('12:14'), ZONE),
    );
    expect(mark).toMatchObject({ shape: 'point', width: 0 });
  });
});

describe('alerts', () => {
  it('those that wait come before those that somebody took, help before all', () => {
    const taken = { taken: { by: 'jonas', at: at('12:02'), againAt: at('12:32') } };
    const all = [
      { alert: anAlert('missed', taken) },
      { alert: anAlert('silent') },
      { alert: anAlert('late') },
      { alert: anAlert('help') },
    ];
    expect(openAlerts(all, at('12:14')).map(({ alert }) => alert.kind)).toEqual([
      'help',
      'late',
      'silent',
      'missed',
    ]);
  });

  it('one that was taken waits again when the half hour is over', () => {
    const taken = { by: 'jonas', at: at('12:02'), againAt: at('12:32') };
    const all = [{ alert: anAlert('late') }, { alert: anAlert('missed', { taken }) }];
    expect(openAlerts(all, at('12:33')).map(({ alert }) => alert.kind)).toEqual(['missed', 'late']);
  });

  it('"Jag tar det" rings again in half an hour', () => {
    expect(taking('sara', at('12:02'))).toEqual({
      by: 'sara',
      at: '2026-11-27T11:02:00.000Z',
      again_at: '2026-11-27T11:32:00.000Z',
    });
  });
});

it('what happened last is told newest first', () => {
  const alert = anAlert('silent', {
    at: at('10:52'),
    taken: { by: 'j', at: at('12:02'), againAt: 0 },
  });
  const told = recentOf([{ space: 's', items: [anItem('08:00', 'done')], alerts: [alert] }], 5);
  expect(told.map(({ what }) => what)).toEqual(['taken', 'silent', 'outcome']);
});

it('a call for help that was taken back is told with who manages without it', () => {
  const help = anAlert('help', {
    at: at('11:20'),
    closed: { at: at('11:24'), why: 'cancelled' },
  });
  const given = anAlert('help', { at: at('11:00'), closed: { at: at('11:10'), why: 'by_hand' } });
  const late = anAlert('late', { at: at('10:00'), closed: { at: at('10:05'), why: 'cancelled' } });
  const told = recentOf([{ space: 's', items: [], alerts: [help, given, late] }], 5);
  expect(told.map(({ what, at: when }) => [what, when])).toEqual([
    ['manages', at('11:24')],
    ['help', at('11:20')],
    ['help', at('11:00')],
  ]);
});

it('finds what an old alert is about on the day that its name says, and works a day out once', () => {
  const old = { ...anItem('08:00', 'missed'), occ: 'r@2026-11-13T08:00' };
  const asked: string[] = [];
  const find = finderOf([anItem('08:00', 'done')], (date) => {
    asked.push(date);
    return date === '2026-11-13' ? [old] : [];
  });
  expect(find(`r@${DATE}T08:00`)?.state).toBe('done');
  expect([find(old.occ), find('r@2026-11-13T09:00')]).toEqual([old, null]);
  expect([find(null), find('3f2c')]).toEqual([null, null]);
  expect(asked).toEqual(['2026-11-13']);
});

describe('what is shown without contact', () => {
  const now = at('14:50');
  const met = at('12:50');

  it('is as it was when contact was lost', () => {
    expect(shownAsOf({ online: false, lastSyncedAt: met }, now)).toBe(met);
  });

  it('is the present while there is contact, and for a few minutes after', () => {
    expect(shownAsOf({ online: true, lastSyncedAt: met }, now)).toBeNull();
    expect(shownAsOf({ online: false, lastSyncedAt: at('14:47') }, now)).toBeNull();
    expect(shownAsOf({ online: false, lastSyncedAt: at('14:46') }, now)).toBe(at('14:46'));
  });

  it('is of no known time on a device that was never met', () => {
    expect(shownAsOf({ online: false, lastSyncedAt: null }, now)).toBeNull();
  });
});
