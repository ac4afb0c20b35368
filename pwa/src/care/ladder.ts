/** Who is told, and when, while nobody answers: the steps that the server's engine walks (docs/engine.md). Pure. */
import { graceMinutes } from '../plan/grace';
import type { Alert, Criticality, Reminder } from '../plan/model';

export type Told = 'device' | 'again' | 'primary' | 'unit' | 'all';

export interface LadderStep {
  who: Told;
  /** Minutes from the scheduled start. */
  after: number[];
}

/** When the resident's devices ring, in minutes from the start. */
const RINGS: Record<Criticality, readonly number[]> = {
  normal: [0, 5, 10],
  important: [0, 5, 10],
  critical: [0, 5],
};

/** When supporters are told, in minutes from the end of the grace. */
const SUPPORTERS: Record<Criticality | 'help' | 'silent', readonly [Told, number][]> = {
  normal: [
    ['primary', -15],
    ['unit', 0],
    ['all', 30],
  ],
  important: [
    ['primary', -15],
    ['unit', 0],
    ['all', 30],
  ],
  critical: [
    ['primary', -5],
    ['unit', 0],
    ['all', 15],
  ],
  help: [
    ['unit', 0],
    ['all', 5],
  ],
  silent: [
    ['primary', 0],
    ['unit', 15],
  ],
};

type Graced = Pick<
  Reminder,
  'category' | 'criticality' | 'minutes' | 'grace' | 'checkable' | 'ring'
>;

/** The whole ladder of one occurrence. What needs no answer rings once and tells nobody else. */
export function ladderOf(reminder: Graced): LadderStep[] {
  const [first = 0, ...again] = RINGS[reminder.criticality];
  const steps: LadderStep[] = [];
  if (reminder.ring.start) steps.push({ who: 'device', after: [first] });
  if (!reminder.checkable) return steps;
  if (reminder.ring.again) steps.push({ who: 'again', after: again });
  const grace = graceMinutes(reminder, null);
  for (const [who, minutes] of SUPPORTERS[reminder.criticality]) {
    // The first supporter hears of it no earlier than half the grace.
    const after = who === 'primary' ? Math.max(grace + minutes, grace / 2) : grace + minutes;
    steps.push({ who, after: [after] });
  }
  return steps;
}

export interface AlertStep {
  who: Told;
  /** Moment in ms. */
  at: number;
  state: 'past' | 'current' | 'next';
}

/** An alert's ladder as dots: what was reached and what comes. `start` is when the occurrence was due. */
export function alertSteps(alert: Alert, reminder: Graced | null, start: number): AlertStep[] {
  const steps =
    alert.kind === 'help' || alert.kind === 'silent' || reminder === null
      ? SUPPORTERS[alert.kind === 'help' ? 'help' : 'silent'].map(([who, after]) => ({
          who,
          at: alert.at + after * 60_000,
        }))
      : ladderOf(reminder).map(({ who, after }) => ({
          who,
          at: start + (after.at(-1) ?? 0) * 60_000,
        }));
  // The server counts the supporters' steps; the rings before them are behind us when there is an alert.
  const supporters = steps.filter(({ who }) => who !== 'device' && who !== 'again').length;
  const rings = steps.length - supporters;
  const reached = alert.step.of === steps.length ? alert.step.n : rings + Math.max(1, alert.step.n);
  return steps.map((step, index) => ({
    ...step,
    state: index + 1 < reached ? 'past' : index + 1 === reached ? 'current' : 'next',
  }));
}
