/** The resident's day as screens need it: read from the replica, recomputed on each minute and each change. */
import { clock } from '../app/clock.svelte';
import { mos } from '../app/mos.svelte';
import { nowAndNext, pauseOn, readProfile } from '../plan/day';
import type { DayPart, Item } from '../plan/model';
import type { Called } from './help';
import {
  DAY_MS,
  MINUTE_MS,
  addDays,
  dayPart,
  instant,
  minuteOf,
  wallTime,
  weekday,
} from '../plan/time';
import { dayOf, hasArrived, rowsOf, sourceOf } from '../care/day.svelte';
import { isNightAt } from './night';

class Today {
  /** Whose day a supporter looks at ("Se som"); null on a resident's own device. */
  seen = $state<string | null>(null);
  /** A resident's device holds the resident's own, and what belongs to it. */
  readonly space = $derived(
    this.seen ?? mos.replica.spaces().find(({ of }) => of === null)?.id ?? null,
  );
  /** Its records are here; until then nobody knows what the day holds. */
  readonly arrived = $derived(hasArrived(this.space));
  readonly profile = $derived(readProfile(this.#rows('profile')[0]));
  readonly #source = $derived(sourceOf(this.space, this.profile));

  readonly #wall = $derived(wallTime(clock.minute, this.profile.zone));
  readonly date = $derived(this.#wall.slice(0, 10));
  readonly minute = $derived(minuteOf(this.#wall.slice(11)) ?? 0);
  readonly weekday = $derived(weekday(this.date));
  /** For `data-day`: the day's own colours, where they are wanted; none in the night. */
  readonly cloth: string | undefined = $derived.by(() => {
    if (this.night) return undefined;
    const { weekdays } = this.profile;
    const weekend = this.weekday === 'sat' || this.weekday === 'sun';
    return weekdays === 'all' || (weekdays === 'weekend' && weekend) ? this.weekday : 'plain';
  });
  readonly part = $derived(dayPart(clock.minute, this.profile.zone, this.profile.parts));
  readonly night = $derived(isNightAt(this.minute, this.profile.night));

  readonly items = $derived(dayOf(this.#source, { date: this.date, now: clock.minute }));
  /** The pause that today lies in, or null. */
  readonly pause = $derived(pauseOn(this.profile.pause, this.date));
  /** For those who listen, what others see: nothing that is paused; last night, when it is over, is not of today. */
  readonly told = $derived(
    this.items.filter(
      (item) => item.state !== 'paused' && (item.state !== 'gone' || this.minuteOf(item) >= 0),
    ),
  );
  readonly tomorrow = $derived(
    dayOf(this.#source, { date: addDays(this.date, 1), now: clock.minute }),
  );
  readonly cards = $derived(nowAndNext(this.items, clock.minute));
  /** What comes next, tomorrow's first thing included. */
  readonly upcoming = $derived(nowAndNext([...this.items, ...this.tomorrow], clock.minute).next);

  readonly alerts: readonly Called[] = $derived(
    this.#rows('alert')
      .filter(({ doc }) => value(doc['what'], 'kind') === 'help')
      .map(({ doc }) => ({
        occ: value(doc['what'], 'occ') || null,
        at: Date.parse(value(doc['what'], 'at')),
        closed: !!doc['closed'],
        taken: value(doc['taken'], 'by') || null,
      })),
  );
  /** Occurrences for which the resident has asked for help, and helps not taken back. */
  readonly helps = $derived.by(() => {
    const undone = new Set(this.#rows('retract').map((row) => value(row.doc['v'], 'of')));
    return this.#rows('help')
      .filter((row) => !undone.has(row.rec))
      .map((row) => ({
        rec: row.rec,
        occ: value(row.doc['v'], 'occ') || null,
        at: Date.parse(value(row.doc['v'], 'at')),
        why:
          value(row.doc['v'], 'why') === 'unwilling' ? ('unwilling' as const) : ('help' as const),
        pending: row.pending,
      }));
  });

  /** Before midnight the morning is tomorrow's. */
  readonly morningDate = $derived(
    this.minute >= (minuteOf(this.profile.night.to) ?? 0) ? addDays(this.date, 1) : this.date,
  );
  /** The part of the day of a minute of today, or of tomorrow's. */
  partAt(minute: number): DayPart {
    const at = instant(`${this.date}T00:00`, this.profile.zone) + minute * MINUTE_MS;
    return dayPart(at, this.profile.zone, this.profile.parts);
  }

  /** Minute of today (past 1440 for tomorrow) at which something begins. */
  minuteOf(item: Item): number {
    const day = wallTime(item.start, this.profile.zone).slice(0, 10);
    const later = Math.round(
      (instant(`${day}T12:00`, this.profile.zone) -
        instant(`${this.date}T12:00`, this.profile.zone)) /
        DAY_MS,
    );
    return (minuteOf(item.from) ?? 0) + later * 1440;
  }

  #rows(coll: string) {
    return rowsOf(this.space, coll);
  }
}

function value(group: unknown, field: string): string {
  if (typeof group !== 'object' || group === null) return '';
  const found = (group as Record<string, unknown>)[field];
  return typeof found === 'string' ? found : '';
}

export const today = new Today();
