/** Who may say that a dose was given, in a care record. Pure. The server judges alike: spec/vectors/delegation.json. */

/** That somebody may do a task for a resident, from `since` until before `until` (instants). */
export interface Held {
  readonly task: string;
  readonly since: string;
  readonly until: string;
}

export interface Giving {
  policy: string;
  role: string;
  /** They may sign for this resident's doses. */
  signs: boolean;
  /** Which delegation the order asks for; null: none. */
  task: string | null;
  /** What they hold for this resident. */
  held: readonly Held[];
  /** When it is given, ms. */
  at: number;
}

/** Residents and relatives take care of themselves and their own: nobody delegates that to them. */
const STAFF = ['caregiver', 'nurse', 'manager'];

/** What somebody lacks to give a dose; null where they may. */
export function lack({
  policy,
  role,
  signs,
  task,
  held,
  at,
}: Giving): 'delegation' | 'sign' | null {
  if (policy !== 'care_record' || !STAFF.includes(role)) return null;
  if (task !== null && role !== 'nurse') {
    const mine = role === 'caregiver' ? held : [];
    const holds = mine.some(
      (each) => each.task === task && Date.parse(each.since) <= at && at < Date.parse(each.until),
    );
    if (!holds) return 'delegation';
  }
  return signs ? null : 'sign';
}
