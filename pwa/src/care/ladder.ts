/** Who is told, and when, while nobody answers: the ladders that people chose, and the steps that the server's engine
 *  walks (docs/engine.md). Pure; the choice is held to the server's by spec/vectors/ladders.json. */
import { graceMinutes } from '../plan/grace';
import type { Row } from '../offline/model';
import type { Alert, Criticality, Reminder } from '../plan/model';

export const AUDIENCES = ['primary', 'on_call', 'unit', 'deciders', 'all'] as const;
export type Audience = (typeof AUDIENCES)[number];
/** Whom a step tells: an audience, or one account. */
export type Tell = Audience | { account: string };
export const WAYS = ['push', 'email', 'sms', 'webhook'] as const;
export type Way = (typeof WAYS)[number];

export interface Step {
  tell: Tell;
  /** Minutes from the end of the grace; negative is before it. */
  after: number;
  /** Absent: by whatever each person has chosen. */
  by?: Way[];
}

/** What a ladder is for; null is every one. */
export interface Matter {
  category: string | null;
  criticality: Criticality | null;
}

export interface Ladder extends Matter {
  steps: Step[];
}

/** What MOS does where nobody has chosen otherwise. */
export const USUAL: Record<Criticality, readonly Step[]> = {
  normal: [
    { tell: 'primary', after: -15 },
    { tell: 'unit', after: 0 },
    { tell: 'all', after: 30 },
  ],
  important: [
    { tell: 'primary', after: -15 },
    { tell: 'unit', after: 0 },
    { tell: 'all', after: 30 },
  ],
  critical: [
    { tell: 'primary', after: -5 },
    { tell: 'unit', after: 0 },
    { tell: 'all', after: 15 },
  ],
};

/** When the resident's devices ring, in minutes from the start. */
const RINGS: Record<Criticality, readonly number[]> = {
  normal: [0, 5, 10],
  important: [0, 5, 10],
  critical: [0, 5],
};

/** Of alerts that have no ladder to choose, in minutes from the alert. */
const FIXED: Record<Exclude<Alert['kind'], 'late' | 'missed'>, readonly Step[]> = {
  help: [
    { tell: 'unit', after: 0 },
    { tell: 'all', after: 5 },
  ],
  silent: [
    { tell: 'primary', after: 0 },
    { tell: 'unit', after: 15 },
  ],
  double: [
    { tell: 'unit', after: 0 },
    { tell: 'all', after: 15 },
  ],
  unentitled: [{ tell: 'deciders', after: 0 }],
  conflict: [
    { tell: 'deciders', after: 0 },
    { tell: 'all', after: 30 },
  ],
};

// ───────────────────────────────────────────────────────────── which one holds

/** The most specific of ladders that are for this: category and criticality, category, criticality, everything. */
export function chosenOf<T extends Ladder>(
  ladders: readonly T[],
  category: string,
  criticality: Criticality,
): T | null {
  const fitting = ladders.filter(
    (each) =>
      each.steps.length > 0 &&
      (each.category === null || each.category === category) &&
      (each.criticality === null || each.criticality === criticality),
  );
  const specific = (each: Ladder): number =>
    Number(each.category !== null) * 2 + Number(each.criticality !== null);
  return fitting.sort((a, b) => specific(b) - specific(a))[0] ?? null;
}

/** Whatever a ladder says, the last step of what is critical reaches all. */
export function safe(steps: readonly Step[], criticality: Criticality): Step[] {
  const last = steps.at(-1);
  if (criticality !== 'critical' || last === undefined || last.tell === 'all') return [...steps];
  return [...steps.slice(0, -1), { ...last, tell: 'all' }];
}

/** The steps for what is of this category and criticality, by the ladders that are known here. */
export function stepsFor(
  ladders: readonly Ladder[],
  { category, criticality }: Pick<Reminder, 'category' | 'criticality'>,
): Step[] {
  const chosen = chosenOf(ladders, category, criticality);
  return chosen === null ? [...USUAL[criticality]] : safe(chosen.steps, criticality);
}

/** When a step comes, in minutes from the start: the first call comes no earlier than half the grace, and none before. */
export function minutesFromStart(step: Step, grace: number): number {
  return Math.max(grace + step.after, grace / 2);
}

/** A resident's own ladder as it is stored; null where there is none. A step that this release does not understand
 *  tells everybody, as the server's engine has it. */
export function readLadder(row: Row): Ladder | null {
  const { for: matter, steps, deleted } = row.doc;
  if (deleted === true || !isFields(matter) || !Array.isArray(steps) || steps.length === 0)
    return null;
  const { category, criticality } = matter;
  return {
    category: typeof category === 'string' ? category : null,
    criticality:
      typeof criticality === 'string' && criticality in USUAL ? (criticality as Criticality) : null,
    steps: steps.map(readStep).sort((a, b) => a.after - b.after),
  };
}

/** A step as the API or a record has it. */
export function readStep(value: unknown): Step {
  const { tell, after, by } = isFields(value) ? value : {};
  return {
    tell: readTell(tell),
    after: typeof after === 'number' ? after : 0,
    ...(Array.isArray(by) && { by: WAYS.filter((way) => by.includes(way)) }),
  };
}

function readTell(value: unknown): Tell {
  if (isFields(value) && typeof value['account'] === 'string') return { account: value['account'] };
  return AUDIENCES.find((each) => each === value) ?? 'all';
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// ───────────────────────────────────────────────────────────── one occurrence

/** Who is told: a resident's device, the device once more, or whom a step tells. */
export type Told = 'device' | 'again' | Tell;

export interface LadderStep {
  who: Told;
  /** Minutes from the scheduled start. */
  after: number[];
}

type Graced = Pick<
  Reminder,
  'category' | 'criticality' | 'minutes' | 'grace' | 'checkable' | 'ring'
>;

/** When the resident's devices ring once more, in minutes from the start. */
export function ringsAgain(criticality: Criticality): readonly number[] {
  return RINGS[criticality].slice(1);
}

/** The whole ladder of one occurrence, by the ladders that are known here. What needs no answer rings once and tells
 *  nobody else. */
export function ladderOf(reminder: Graced, ladders: readonly Ladder[]): LadderStep[] {
  const [first = 0, ...again] = RINGS[reminder.criticality];
  const steps: LadderStep[] = [];
  if (reminder.ring.start) steps.push({ who: 'device', after: [first] });
  if (!reminder.checkable) return steps;
  if (reminder.ring.again) steps.push({ who: 'again', after: again });
  const grace = graceMinutes(reminder, null);
  for (const step of stepsFor(ladders, reminder)) {
    steps.push({ who: step.tell, after: [minutesFromStart(step, grace)] });
  }
  return steps;
}

export interface AlertStep {
  who: Told;
  /** Moment in ms. */
  at: number;
  state: 'past' | 'current' | 'next';
}

/** An alert's ladder as dots: what was reached and what comes. `start` is when the occurrence was due. Empty where the
 *  server walks a ladder that is not known here: an organisation's template. */
export function alertSteps(
  alert: Alert,
  reminder: Graced | null,
  { start, ladders }: { start: number; ladders: readonly Ladder[] },
): AlertStep[] {
  const { n, of } = alert.step;
  const fixed = alert.kind === 'late' || alert.kind === 'missed' ? null : FIXED[alert.kind];
  if (fixed === null && reminder === null) return [];
  const steps =
    fixed !== null || reminder === null
      ? (fixed ?? []).map(({ tell, after }) => ({ who: tell, at: alert.at + after * 60_000 }))
      : ladderOf(reminder, ladders).map(({ who, after }) => ({
          who,
          at: start + (after.at(-1) ?? 0) * 60_000,
        }));
  // The server counts the supporters' steps; the rings before them are behind us when there is an alert.
  const supporters = steps.filter(({ who }) => who !== 'device' && who !== 'again').length;
  if (fixed === null && of > 0 && of !== supporters && of !== steps.length) return [];
  const rings = steps.length - supporters;
  const reached = of === steps.length ? n : rings + Math.max(1, n);
  return steps.map((step, index) => ({
    ...step,
    state: index + 1 < reached ? 'past' : index + 1 === reached ? 'current' : 'next',
  }));
}
