/** When a thing asks for attention on this device. Pure: the day's items and the moment are arguments. */
import type { Family, Item } from '../plan/model';
import { MINUTE_MS } from '../plan/time';

/** While nobody answers, the sound comes back. */
const RINGS_AT = [0, 5, 10];
/** What nobody has to answer gives the screen back by itself. */
const GIVES_WAY_MS = 5 * MINUTE_MS;

const IMPORTANCE = ['normal', 'important', 'critical'];
const FAMILIES: readonly Family[] = ['med', 'meal', 'sleep', 'rest', 'care', 'act'];

export interface Known {
  /** Calls (see `callOf`) that were seen here and need no answer. */
  seen: ReadonlySet<string>;
  /** Occurrences for which help has been asked: people are told, the screen is free again. */
  helped: ReadonlySet<string>;
}

/** Names one call for attention: the occurrence, and the snooze it comes back from. */
export function callOf(item: Item): string {
  return item.snoozedUntil === null ? item.occ : `${item.occ}+${item.snoozedUntil}`;
}

/** When its present call began (ms). */
function calledAt(item: Item): number {
  return item.snoozedUntil ?? item.start;
}

/** What fills the screen now, the most important first. */
export function alarmsAt(items: readonly Item[], now: number, { seen, helped }: Known): Item[] {
  return items
    .filter((item) => item.state === 'now' || item.state === 'open' || ringsOnceMore(item, now))
    .filter((item) => item.reminder.ring.start || item.snoozedUntil !== null)
    .filter((item) => now >= calledAt(item))
    .filter((item) => item.reminder.checkable || now < calledAt(item) + GIVES_WAY_MS)
    .filter((item) => !seen.has(callOf(item)) && !helped.has(item.occ))
    .sort(
      (a, b) =>
        IMPORTANCE.indexOf(b.reminder.criticality) - IMPORTANCE.indexOf(a.reminder.criticality) ||
        FAMILIES.indexOf(a.family) - FAMILIES.indexOf(b.family) ||
        a.start - b.start,
    );
}

/** Whoever pressed "again" was promised a ring; the grace of what is critical does not wait for it. */
function ringsOnceMore({ state, snoozedUntil, missedAt }: Item, now: number): boolean {
  return (
    state === 'missed' &&
    snoozedUntil !== null &&
    snoozedUntil >= missedAt &&
    now < snoozedUntil + GIVES_WAY_MS
  );
}

/** Whether a page that shows this day makes an occurrence heard by itself: it is due on it, or will be in a moment. */
export function makesHeard(items: readonly Item[], occ: string, now: number): boolean {
  const item = items.find((each) => each.occ === occ);
  return item !== undefined && calledAt(item) <= now + MINUTE_MS;
}

/** How often its call should have sounded by now: once, and again after five and ten minutes. */
export function roundOf(item: Item, now: number): number {
  if (!item.reminder.ring.again || !item.reminder.checkable) return 1;
  const passed = (now - calledAt(item)) / MINUTE_MS;
  return RINGS_AT.filter((minutes) => minutes <= passed).length;
}

/** What is about to begin and wants to be told of before it does. */
export function warningAt(items: readonly Item[], now: number): Item | null {
  const soon = items.filter(
    ({ state, start, reminder }) =>
      state === 'later' &&
      reminder.ring.before !== null &&
      start - reminder.ring.before * MINUTE_MS <= now &&
      now < start,
  );
  return soon[0] ?? null;
}
