import { describe, expect, it } from 'vitest';

import type { SyncStatus } from '../offline/model';
import { clockWrong, savedWords, type Saved } from './saved';

const ZONE = 'Europe/Stockholm';
const EIGHT_TWELVE = Date.parse('2026-11-27T07:12:00Z');

function words(change: Partial<SyncStatus>, arrived = true): Saved {
  return all(change, { arrived })[0];
}

function all(
  change: Partial<SyncStatus>,
  { arrived = true, network = true } = {},
): ReturnType<typeof savedWords> {
  return savedWords(
    {
      online: true,
      pending: 0,
      oldestPendingAt: null,
      lastSyncedAt: null,
      skewMs: 0,
      trouble: null,
      left: null,
      lost: 0,
      waitingOthers: 0,
      ...change,
    },
    { arrived, network, refused: 3, zone: ZONE, locale: 'sv-SE', now: EIGHT_TWELVE + 60_000 },
  );
}

describe('whether all is saved', () => {
  it('says nothing of the kind before everything has come', () => {
    expect(words({}).kind).toBe('fetching');
    expect(words({ lastSyncedAt: EIGHT_TWELVE }, false).kind).toBe('fetching');
  });

  it('says when everything was last sent', () => {
    expect(words({ lastSyncedAt: EIGHT_TWELVE })).toMatchObject({
      kind: 'saved',
      params: { time: '08:12' },
    });
  });

  it('says how many changes wait, and since when', () => {
    expect(words({ pending: 2, oldestPendingAt: EIGHT_TWELVE })).toMatchObject({
      key: 'trouble.saved.waiting',
      params: { count: 2, time: '08:12' },
    });
  });

  it('says the day, too, when that is another', () => {
    const oldestPendingAt = EIGHT_TWELVE - 7 * 86_400_000;
    expect(words({ pending: 2, oldestPendingAt }).params['time']).toBe('20/11 08:12');
  });

  it('says that a time is only about right while the clock is wrong', () => {
    const wrong = { skewMs: 300_000, lastSyncedAt: EIGHT_TWELVE };
    expect(words(wrong).params['time']).toBe('≈\u00a008:12');
  });

  it('does not say that all is saved when something was lost', () => {
    expect(words({ lost: 2, lastSyncedAt: EIGHT_TWELVE })).toMatchObject({
      ...{ kind: 'trouble', key: 'trouble.saved.lost', look: true },
      params: { count: 2 },
    });
  });

  it('says that nothing is lost without a network', () => {
    expect(all({ online: false }, { network: false })).toMatchObject([
      { kind: 'offline', key: 'trouble.saved.offline' },
    ]);
  });

  it('does not blame the network where only MOS does not answer', () => {
    expect(words({ online: false }).key).toBe('trouble.saved.unreached');
    expect(words({ online: false, pending: 2, oldestPendingAt: EIGHT_TWELVE })).toMatchObject({
      key: 'trouble.saved.unreached_waiting',
      params: { count: 2, time: '08:12' },
    });
  });

  it('tells of what others left to be sent when nothing of one’s own waits', () => {
    expect(words({ waitingOthers: 2, lastSyncedAt: EIGHT_TWELVE })).toMatchObject({
      kind: 'waiting',
      key: 'trouble.saved.others',
      params: { count: 2 },
    });
    expect(words({ waitingOthers: 2, pending: 1, oldestPendingAt: EIGHT_TWELVE }).key).toBe(
      'trouble.saved.waiting',
    );
  });

  it('says how many changes were refused', () => {
    expect(words({ trouble: 'refused' })).toMatchObject({
      kind: 'trouble',
      key: 'trouble.saved.refused',
      params: { count: 3 },
    });
  });

  it('hides behind what was refused or lost neither that contact is gone nor that changes wait', () => {
    const waits = { pending: 1, oldestPendingAt: EIGHT_TWELVE, lastSyncedAt: EIGHT_TWELVE };
    const keys = (change: Partial<SyncStatus>, network = true): string[] =>
      all(change, { network }).map(({ key }) => key.slice('trouble.saved.'.length));
    expect(keys({ ...waits, trouble: 'refused', online: false }, false)).toEqual([
      'refused',
      'offline_waiting',
    ]);
    expect(keys({ ...waits, trouble: 'refused' })).toEqual(['refused', 'waiting']);
    expect(keys({ ...waits, lost: 2, online: false })).toEqual(['lost', 'unreached_waiting']);
    expect(keys({ ...waits, trouble: 'refused', lost: 2 })).toEqual(['refused', 'lost', 'waiting']);
    expect(keys({ trouble: 'refused', lastSyncedAt: EIGHT_TWELVE })).toEqual(['refused']);
  });

  it('puts trouble that somebody must act on before all else', () => {
    expect(words({ online: false, pending: 3, trouble: 'storage_full' })).toMatchObject({
      kind: 'trouble',
      key: 'trouble.saved.storage_full',
    });
  });
});

describe('a wrong clock', () => {
  it('is told of from two minutes on, and which way it is wrong', () => {
    expect(clockWrong({ skewMs: 120_000 })).toBeNull();
    expect(clockWrong({ skewMs: 300_000 })).toEqual({ way: 'behind', minutes: 5 });
    expect(clockWrong({ skewMs: -300_000 })).toEqual({ way: 'ahead', minutes: 5 });
  });
});
