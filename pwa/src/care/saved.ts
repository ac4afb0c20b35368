/** Whether all is saved and sent, in words. Pure. */
import type { SyncStatus } from '../offline/model';
import { wallTime } from '../plan/time';

export interface Saved {
  kind: 'fetching' | 'saved' | 'waiting' | 'offline' | 'trouble';
  key:
    | 'common.fetching'
    | 'common.saved.all_at'
    | 'common.saved.waiting'
    | 'common.saved.offline'
    | 'common.saved.offline_waiting'
    | 'common.saved.signed_out'
    | 'common.saved.storage_full'
    | 'common.saved.upgrade_required'
    | 'common.saved.refused'
    | 'common.saved.lease_over'
    | 'common.saved.storage_broken';
  params: Record<string, string | number>;
}

/** `arrived`: every space has come to this device. */
export function savedWords(status: SyncStatus, arrived: boolean, zone: string): Saved {
  if (status.trouble) {
    return { kind: 'trouble', key: `common.saved.${status.trouble}`, params: {} };
  }
  const since = status.oldestPendingAt === null ? '' : clockTime(status.oldestPendingAt, zone);
  const params = { count: status.pending, time: since };
  if (!status.online) {
    return status.pending > 0
      ? { kind: 'offline', key: 'common.saved.offline_waiting', params }
      : { kind: 'offline', key: 'common.saved.offline', params: {} };
  }
  if (status.pending > 0) return { kind: 'waiting', key: 'common.saved.waiting', params };
  // That all is saved would sound as if all were here.
  return status.lastSyncedAt === null || !arrived
    ? { kind: 'fetching', key: 'common.fetching', params: {} }
    : {
        kind: 'saved',
        key: 'common.saved.all_at',
        params: { time: clockTime(status.lastSyncedAt, zone) },
      };
}

function clockTime(ms: number, zone: string): string {
  return wallTime(ms, zone).slice(11, 16);
}
