/** A unit's rotas and the turns that follow from them, as the API has them, and what the week shows of them.
 *  Pure: the moment and the unit's zone are arguments. */
import { addDays, DAY_MS, instant, wallTime } from '../../plan/time';
import type { Weekday } from '../../ui/weekday';
import type { Account, Relation } from '../model';

export interface RotaRule {
  name: string;
  weekdays: Weekday[];
  /** Wall times in the unit's zone; `to` not after `from` is on the next day. */
  from: string;
  to: string;
  holidays: 'usual' | 'sunday' | 'none';
  turn: 'day' | 'week';
  /** Who takes turns, in that order. */
  accounts: string[];
  valid_from: string;
  valid_to: string | null;
}

export interface Rota extends RotaRule {
  id: string;
  unit: string;
  zone: string;
  /** Who has the turn of a day instead; null: nobody. */
  changes: { day: string; account: string | null }[];
}

export interface Turn {
  rota: string;
  name: string;
  unit: string;
  zone: string;
  account: string;
  /** Instants. */
  from: string;
  to: string;
}

/** Days that the week shows, and how far ahead turns are asked for. */
export const WEEK = 7;
export const DAYS_KNOWN = 14;

/** Who may stand on a unit's rotas: whoever may take the alerts of the whole unit at the moment. */
export function callable(
  accounts: readonly Account[],
  relations: readonly Relation[],
  unit: string,
  now: number,
): Account[] {
  const may = new Set(
    relations
      .filter(
        (relation) =>
          relation.unit === unit &&
          relation.permissions.includes('alert.take') &&
          Date.parse(relation.valid_from) <= now &&
          (relation.valid_to === null || now < Date.parse(relation.valid_to)),
      )
      .map(({ account }) => account),
  );
  return accounts.filter(({ id, disabled }) => may.has(id) && !disabled);
}

/** The rule that a first rota begins with: every evening and night, a week each. */
export function firstRule(name: string, accounts: readonly string[], today: string): RotaRule {
  return {
    name,
    weekdays: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    from: '16:00',
    to: '07:00',
    holidays: 'usual',
    turn: 'week',
    accounts: [...accounts],
    valid_from: today,
    valid_to: null,
  };
}

/** The rule alone, as it is sent. */
export function ruleOf(rota: Rota): RotaRule {
  const { name, weekdays, from, to, holidays, turn, accounts, valid_from, valid_to } = rota;
  return { name, weekdays, from, to, holidays, turn, accounts, valid_from, valid_to };
}

/** The turns that run at the moment. */
export function running(turns: readonly Turn[], now: number): Turn[] {
  return turns.filter(({ from, to }) => Date.parse(from) <= now && now < Date.parse(to));
}

/** The turns that begin next, all at one moment. */
export function following(turns: readonly Turn[], now: number): Turn[] {
  const later = turns.filter(({ from }) => now < Date.parse(from));
  const first = Math.min(...later.map(({ from }) => Date.parse(from)));
  return later.filter(({ from }) => Date.parse(from) === first);
}

/** What a rota says of the turn that begins on a day. */
export type Cell =
  | { kind: 'turn'; turn: Turn; changed: boolean }
  /** Somebody has said that nobody has it. */
  | { kind: 'nobody' }
  | { kind: 'none' };

export function cellOf(rota: Rota, turns: readonly Turn[], day: string): Cell {
  const change = rota.changes.find((each) => each.day === day);
  const turn = turns.find(
    (each) =>
      each.rota === rota.id && wallTime(Date.parse(each.from), rota.zone).slice(0, 10) === day,
  );
  if (turn) return { kind: 'turn', turn, changed: change !== undefined };
  return change?.account === null ? { kind: 'nobody' } : { kind: 'none' };
}

export interface Span {
  from: number;
  to: number;
}

/** The spans between two instants in which nobody has duty. */
export function gaps(turns: readonly Turn[], from: number, to: number): Span[] {
  const found: Span[] = [];
  let covered = from;
  const ordered = turns
    .map((turn) => ({ from: Date.parse(turn.from), to: Date.parse(turn.to) }))
    .sort((a, b) => a.from - b.from);
  for (const turn of ordered) {
    if (turn.from > covered) found.push({ from: covered, to: Math.min(turn.from, to) });
    covered = Math.max(covered, turn.to);
    if (covered >= to) return found;
  }
  return [...found, { from: covered, to }];
}

/** What of a gap a day tells, in wall times; null: it began before the day, or goes on after it. */
export interface DayGap {
  from: string | null;
  to: string | null;
}

/** A gap of at most a day is told whole on the day that it begins on; a longer one, or one that goes on after `until`
 *  (further than turns are known), by its part of each day. */
export function gapsOfDay(
  spans: readonly Span[],
  day: string,
  zone: string,
  until: number,
): DayGap[] {
  const start = instant(`${day}T00:00`, zone);
  const end = instant(`${addDays(day, 1)}T00:00`, zone);
  const clock = (at: number): string => wallTime(at, zone).slice(11);
  return spans.flatMap((span): DayGap[] => {
    const begins = start <= span.from && span.from < end;
    const open = span.to >= until;
    if (!open && span.to - span.from <= DAY_MS) {
      return begins ? [{ from: clock(span.from), to: clock(span.to) }] : [];
    }
    if (span.to <= start || end <= span.from) return [];
    return [
      {
        from: span.from > start ? clock(span.from) : null,
        to: !open && span.to < end ? clock(span.to) : null,
      },
    ];
  });
}

/** The order with one person moved one place up. */
export function movedUp(accounts: readonly string[], at: number): string[] {
  const moved = [...accounts];
  const [who] = moved.splice(at, 1);
  if (who !== undefined) moved.splice(Math.max(0, at - 1), 0, who);
  return moved;
}
