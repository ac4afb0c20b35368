/** Which edition of the time-zone rules this browser has. It does not say: what it knows gives it away. */
import { isZone, wallTime } from './time';

/** A wall time that only this release and later ones show. Newest first; each release of IANA that moves a clock
 *  deserves a line. */
const MARKS: readonly { release: string; zone: string; at: string; shows: string }[] = [
  { release: '2026f', zone: 'America/Havana', at: '2026-12-15T12:00Z', shows: '08:00' },
  { release: '2026e', zone: 'America/Winnipeg', at: '2026-12-15T12:00Z', shows: '07:00' },
  { release: '2026d', zone: 'America/Inuvik', at: '2026-12-15T12:00Z', shows: '06:00' },
  { release: '2026c', zone: 'Africa/Casablanca', at: '2027-01-15T12:00Z', shows: '12:00' },
  { release: '2026b', zone: 'America/Vancouver', at: '2026-12-15T12:00Z', shows: '05:00' },
  { release: '2026a', zone: 'Europe/Chisinau', at: '2026-03-29T00:30Z', shows: '02:30' },
  { release: '2025b', zone: 'America/Coyhaique', at: '2026-07-01T12:00Z', shows: '09:00' },
  { release: '2025a', zone: 'America/Asuncion', at: '2025-07-01T12:00Z', shows: '09:00' },
];

/** The newest release whose changes this browser knows, such as `2026b`; `''` for one older than all marks. */
export function zoneRelease(): string {
  const known = MARKS.find(
    ({ zone, at, shows }) => isZone(zone) && wallTime(Date.parse(at), zone).slice(11) === shows,
  );
  return known?.release ?? '';
}
