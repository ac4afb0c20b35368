import { describe, expect, it } from 'vitest';

import type { SyncStatus } from '../offline/model';
import { clockWrong, savedWords } from './saved';

const ZONE = 'Europe/Stockholm';

function words(change: Partial<SyncStatus>, arrived = true): ReturnType<typeof savedWords> {
  return savedWords(
    {
      online: true,
      pending: 0,
      oldestPendingAt: null,
      lastSyncedAt: null,
      skewMs: 0,
      trouble: null,
      lost: 0,
      waitingOthers: 0,
      ...change,
    },
    { arrived, refused: 3, zone: ZONE },
  );
}

const EIGHT_TWELVE = Date.parse('2026-11-27T07:12:00Z');

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

  it('says that nothing is lost without a network', () => {
    expect(words({ online: false })).toMatchObject({
      kind: 'offline',
      key: 'trouble.saved.offline',
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
