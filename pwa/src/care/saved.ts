/** Whether all is saved and sent, in words. Pure. */
import { CLOCK_WRONG_MS } from '../app/mos.svelte';
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
    | 'trouble.saved.unreached'
    | 'trouble.saved.unreached_waiting'
    | 'trouble.saved.signed_out'
    | 'trouble.saved.storage_full'
    | 'trouble.saved.upgrade_required'
    | 'trouble.saved.refused'
    | 'trouble.saved.lost'
    | 'trouble.saved.lease_over'
    | 'trouble.saved.storage_broken';
  params: Record<string, string | number>;
  /** There is something to look at where what could not be saved is listed. */
  look?: true;
}

export interface Known {
  /** Every space has come to this device. */
  arrived: boolean;
  /** The browser believes that it has a network (`navigator.onLine`): then it is MOS that does not answer. */
  network: boolean;
  /** How many changes of whoever is here the server refused. */
  refused: number;
  zone: string;
  /** For Intl. */
  locale: string;
  /** By this device, as the moments in the status; ms. */
  now: number;
}

/** What there is to say, the most important first; at least one. What was refused or lost stands before how it is with
 *  contact, and never instead of it. */
export function savedWords(status: SyncStatus, known: Known): [Saved, ...Saved[]] {
  if (status.trouble !== null && status.trouble !== 'refused')
    return [{ kind: 'trouble', key: `trouble.saved.${status.trouble}`, params: {} }];
  const unread = unreadWords(status, known);
  const contact = contactWords(status, known);
  const [first, ...rest] = unread;
  if (first === undefined) return [contact];
  // That all is saved would not be true.
  const isQuiet = contact.kind === 'saved' || contact.kind === 'fetching';
  return [first, ...rest, ...(isQuiet ? [] : [contact])];
}

function unreadWords({ trouble, lost }: SyncStatus, { refused }: Known): Saved[] {
  const unread = [
    { key: 'trouble.saved.refused' as const, count: trouble === 'refused' ? refused : 0 },
    { key: 'trouble.saved.lost' as const, count: lost },
  ];
  return unread
    .filter(({ count }) => count > 0)
    .map(({ key, count }) => ({ kind: 'trouble', key, look: true, params: { count } }));
}

function contactWords(status: SyncStatus, known: Known): Saved {
  const when = (ms: number): string => (clockWrong(status) ? '≈\u00a0' : '') + moment(ms, known);
  const since = status.oldestPendingAt === null ? '' : when(status.oldestPendingAt);
  const params = { count: status.pending, time: since };
  if (!status.online) {
    const why = known.network ? 'unreached' : 'offline';
    return status.pending > 0
      ? { kind: 'offline', key: `trouble.saved.${why}_waiting`, params }
      : { kind: 'offline', key: `trouble.saved.${why}`, params: {} };
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
  return status.lastSyncedAt === null || !known.arrived
    ? { kind: 'fetching', key: 'common.fetching', params: {} }
    : {
        kind: 'saved',
        key: 'trouble.saved.all_at',
        params: { time: when(status.lastSyncedAt) },
      };
}

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

/** `08:12`; with its day when that is another: `25/11 08:12`. */
function moment(ms: number, { zone, locale, now }: Known): string {
  const [then, today] = [wallTime(ms, zone), wallTime(now, zone)];
  const time = then.slice(11, 16);
  if (then.slice(0, 10) === today.slice(0, 10)) return time;
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'numeric', timeZone: zone });
  return `${day.format(ms)} ${time}`;
}
