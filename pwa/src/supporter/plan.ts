/** What a supporter does with a plan: add, change, copy, delete. Each can be taken back. */
import { mos } from '../app/mos.svelte';
import type { Json } from '../offline/model';
import { uuid7 } from '../offline/ids';
import { changedGroups, groupsOf, type ReminderForm } from '../plan/editor/form';
import type { Reminder } from '../plan/model';
import { minuteOf } from '../plan/time';

type Groups = Record<string, Json>;

export function newReminderId(): string {
  return uuid7(Date.now(), (bytes) => crypto.getRandomValues(new Uint8Array(bytes)));
}

/** Saves what was changed since `opened` (null: a new reminder); answers how to take it back. What somebody else
 *  changed meanwhile in other groups stays theirs. */
export async function saveReminder(
  space: string,
  id: string,
  { opened, form }: { opened: ReminderForm | null; form: ReminderForm },
): Promise<() => Promise<void>> {
  const before = mos.replica.row(space, 'reminder', id)?.doc;
  const changed = {
    ...changedGroups(opened === null ? {} : groupsOf(opened), groupsOf(form)),
    // Whoever saves it wants it in the plan, also where somebody else has deleted it meanwhile.
    ...(before?.['deleted'] === true && { deleted: false }),
  };
  await mos.replica.set(space, 'reminder', id, changed);
  return () =>
    before === undefined
      ? mos.replica.set(space, 'reminder', id, { deleted: true })
      : mos.replica.set(space, 'reminder', id, valuesBefore(before, changed));
}

function valuesBefore(before: Readonly<Groups>, changed: Groups): Groups {
  return Object.fromEntries(
    Object.keys(changed).flatMap((group) => {
      const value = before[group];
      return value === undefined ? [] : [[group, value]];
    }),
  );
}

/** Adds many at once; answers how to take them all back. */
export async function addReminders(
  wanted: readonly { space: string; groups: Groups }[],
): Promise<() => Promise<void>> {
  const made: { space: string; id: string }[] = [];
  for (const { space, groups } of wanted) {
    const id = newReminderId();
    await mos.replica.set(space, 'reminder', id, groups);
    made.push({ space, id });
  }
  return async () => {
    for (const { space, id } of made)
      await mos.replica.set(space, 'reminder', id, { deleted: true });
  };
}

export async function deleteReminder(space: string, id: string): Promise<() => Promise<void>> {
  await mos.replica.set(space, 'reminder', id, { deleted: true });
  return () => mos.replica.set(space, 'reminder', id, { deleted: false });
}

// ───────────────────────────────────────────────────────────── the list of a plan

export interface PlanGroups {
  /** By the time of day at which they first come. */
  recurring: Reminder[];
  /** By date. */
  once: Reminder[];
  /** Over: a day that is gone, or an end that has passed. */
  over: Reminder[];
}

export function groupsOfPlan(reminders: readonly Reminder[], today: string): PlanGroups {
  const groups: PlanGroups = { recurring: [], once: [], over: [] };
  for (const reminder of reminders) {
    const { rule } = reminder;
    if (rule.kind === 'once') {
      (rule.at.slice(0, 10) < today ? groups.over : groups.once).push(reminder);
    } else {
      (rule.end !== undefined && rule.end < today ? groups.over : groups.recurring).push(reminder);
    }
  }
  groups.recurring.sort(
    (a, b) => firstMinute(a) - firstMinute(b) || a.title.localeCompare(b.title),
  );
  groups.once.sort((a, b) => (onceAt(a) < onceAt(b) ? -1 : 1));
  groups.over.sort((a, b) => a.title.localeCompare(b.title));
  return groups;
}

/** The first wall time of a day at which it comes; a rule of a kind not known here stands first, to be seen. */
export function firstTime({ rule }: Reminder): string {
  switch (rule.kind) {
    case 'once':
      return rule.at.slice(11, 16);
    case 'interval':
      return rule.from;
    case 'weekly':
    case 'rrule':
      return [...rule.times].sort()[0] ?? '';
    default:
      return '';
  }
}

function firstMinute(reminder: Reminder): number {
  return minuteOf(firstTime(reminder)) ?? -1;
}

function onceAt({ rule }: Reminder): string {
  return rule.kind === 'once' ? rule.at : '';
}
