/** Whether all is saved and sent, in words. Pure. */
import type { SyncStatus } from '../offline/model';
import { wallTime } from '../plan/time';

export interface Saved {
  kind: 'fetching' | 'saved' | 'waiting' | 'offline' | 'trouble';
  key:
    | 'common.fetching'
    | 'trouble.saved.all_at'
    | 'trouble.saved.waiting'
    | 'trouble.saved.others'
    | 'trouble.saved.offline'
    | 'trouble.saved.offline_waiting'
    | 'trouble.saved.signed_out'
    | 'trouble.saved.storage_full'
    | 'trouble.saved.upgrade_required'
    | 'trouble.saved.refused'
    | 'trouble.saved.lease_over'
    | 'trouble.saved.storage_broken';
  params: Record<string, string | number>;
}

export interface Known {
  /** Every space has come to this device. */
  arrived: boolean;
  /** How many changes of whoever is here the server refused. */
  refused: number;
  zone: string;
}

export function savedWords(status: SyncStatus, { arrived, refused, zone }: Known): Saved {
  if (status.trouble) {
    return {
      kind: 'trouble',
      key: `trouble.saved.${status.trouble}`,
      params: status.trouble === 'refused' ? { count: refused } : {},
    };
  }
  const since = status.oldestPendingAt === null ? '' : clockTime(status.oldestPendingAt, zone);
  const params = { count: status.pending, time: since };
  if (!status.online) {
    return status.pending > 0
      ? { kind: 'offline', key: 'trouble.saved.offline_waiting', params }
      : { kind: 'offline', key: 'trouble.saved.offline', params: {} };
  }
  if (status.pending > 0) return { kind: 'waiting', key: 'trouble.saved.waiting', params };
  if (status.waitingOthers > 0) {
    return {
      kind: 'waiting',
      key: 'trouble.saved.others',
      params: { count: status.waitingOthers },
    };
  }
  // That all is saved would sound as if all were here.
  return status.lastSyncedAt === null || !arrived
    ? { kind: 'fetching', key: 'common.fetching', params: {} }
    : {
        kind: 'saved',
        key: 'trouble.saved.all_at',
        params: { time: clockTime(status.lastSyncedAt, zone) },
      };
}

/** Beyond this the times that are written here are only about right. */
const CLOCK_WRONG_MS = 2 * 60_000;

/** Which way this device's clock is wrong, and by how many minutes; null while it is right enough. */
export function clockWrong({
  skewMs,
}: Pick<SyncStatus, 'skewMs'>): { way: 'ahead' | 'behind'; minutes: number } | null {
  if (Math.abs(skewMs) <= CLOCK_WRONG_MS) return null;
  return {
    way: skewMs < 0 ? 'ahead' : 'behind',
    minutes: Math.round(Math.abs(skewMs) / 60_000),
  };
}

function clockTime(ms: number, zone: string): string {
  return wallTime(ms, zone).slice(11, 16);
}
