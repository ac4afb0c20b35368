/** What the supporter's screens show, live from the replica: every resident with the day, the status and the alerts. */
import { clock } from '../app/clock.svelte';
import { mos } from '../app/mos.svelte';
import { dayOf, rowsOf, sourceOf } from '../care/day.svelte';
import { residents, type Resident } from '../care/residents.svelte';
import type { Row } from '../offline/model';
import { readAlert } from '../plan/alert';
import { readProfile, readReminder } from '../plan/day';
import type { Alert, Item, Reminder } from '../plan/model';
import { addDays, wallTime } from '../plan/time';
import {
  byFlat,
  finderOf,
  glanceOf,
  isResting,
  isSettled,
  lastMealAt,
  needOf,
  openAlerts,
  pauseOf,
  statusOf,
  type Glance,
  type Need,
  type Status,
} from './overview';

const HOUR_MS = 3_600_000;

export interface ResidentHome {
  resident: Resident;
  /** The resident's local date. */
  date: string;
  items: Item[];
  /** Yesterday and today: what the night strip and "last" need. */
  recent: Item[];
  alerts: Alert[];
  status: Status;
  /** Why somebody is needed, or null. */
  need: Need | null;
  glance: Glance;
  lastMealAt: number | null;
}

export interface HomeAlert {
  alert: Alert;
  home: ResidentHome;
  /** The occurrence it is about, if it is still known here. */
  item: Item | null;
}

class Home {
  /** Those whose day may be seen, by unit, then by flat. Recomputed when the data changes and on each minute. */
  readonly residents: ResidentHome[] = $derived.by(() => {
    const now = clock.minute;
    const units = mos.session?.units.map((unit) => unit.id) ?? [];
    return residents
      .all()
      .filter((resident) => residents.may(resident, 'plan.view'))
      .sort((a, b) => units.indexOf(a.unit) - units.indexOf(b.unit) || byFlat(a, b))
      .map((resident) => homeOf(resident, now));
  });

  /** Open alerts; those that wait for somebody first. */
  readonly alerts: HomeAlert[] = $derived(
    openAlerts(
      this.residents.flatMap((home) => {
        const find = finderOf(home.recent, (date) => itemsOn(home.resident, date, clock.minute));
        return home.alerts
          .filter(({ closed }) => closed === null)
          .map((alert) => ({ alert, home, item: find(alert.occ) }));
      }),
      clock.minute,
    ).filter(
      ({ alert, item, home }) => !isSettled(alert, item, { paused: pauseOf(home.status) !== null }),
    ),
  );

  /** Everybody's records are here: that nothing is among them means that there is nothing. */
  readonly arrived: boolean = $derived(this.residents.every(({ resident }) => resident.arrived));

  readonly waiting: number = $derived(
    this.alerts.filter(({ alert }) => !isResting(alert, clock.minute)).length,
  );

  of(space: string): ResidentHome | null {
    return this.residents.find(({ resident }) => resident.space === space) ?? null;
  }
}

export const home = new Home();

/** One local day of a resident. */
export function itemsOn(resident: Resident, date: string, now: number): Item[] {
  const { space, profile } = resident;
  return dayOf(sourceOf(space, profile ?? readProfile(undefined)), { date, now });
}

/** The reminders of the resident's plan that are not deleted, in no promised order. Medicines are ordered elsewhere. */
export function remindersOf(space: string): Reminder[] {
  return mos.replica.rows(space, 'reminder').map(readReminder);
}

/** Today's items, and what was missed in the evening: midnight makes nothing good. */
function stillOpen(recent: Item[], items: Item[], now: number): Item[] {
  return recent.filter((item) => items.includes(item) || now - item.start < 12 * HOUR_MS);
}

/** An alert, and of a call for help when it was made. */
function alertOf(row: Row, helps: readonly Row[]): Alert | null {
  let call: Row | undefined;
  const alert = readAlert(row, (rec) => (call = helps.find((help) => help.rec === rec)));
  const asked = Date.parse((call?.doc['v'] as { at?: string } | undefined)?.at ?? '');
  return alert?.kind === 'help' && !Number.isNaN(asked) ? { ...alert, asked } : alert;
}

function homeOf(resident: Resident, now: number): ResidentHome {
  const date = wallTime(now, resident.zone).slice(0, 10);
  const items = itemsOn(resident, date, now);
  const before = itemsOn(resident, addDays(date, -1), now);
  const helps = rowsOf(resident.space, 'help');
  const alerts = rowsOf(resident.space, 'alert')
    .map((row) => alertOf(row, helps))
    .filter((alert) => alert !== null);
  // A night that began yesterday stands in both days.
  const recent = [...before.filter((item) => !items.some(({ occ }) => occ === item.occ)), ...items];
  const facts = {
    items: stillOpen(recent, items, now),
    alerts,
    profile: resident.profile ?? { pause: [] },
    planned: rowsOf(resident.space, 'reminder').length + rowsOf(resident.space, 'order').length > 0,
    date,
    now,
    arrived: resident.arrived,
  };
  const status = statusOf(facts);
  return {
    resident,
    date,
    items,
    recent,
    alerts,
    status,
    need: needOf(status, facts),
    glance: glanceOf(items),
    lastMealAt: lastMealAt(recent),
  };
}
