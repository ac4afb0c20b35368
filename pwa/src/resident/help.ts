/** Where a cry for help stands. Only what is true is said. Pure. */
import { MINUTE_MS } from '../plan/time';

export interface Help {
  rec: string;
  occ: string | null;
  at: number;
  why: 'help' | 'unwilling';
  /** The server has not confirmed it. */
  pending: boolean;
}

/** An alert that a call for help has opened. */
export interface Called {
  occ: string | null;
  /** When, ms. */
  at: number;
  closed: boolean;
  /** Who takes it; null while nobody does. */
  taken: string | null;
}

/** `sending`: on its way · `unsent`: it cannot get out now · `told`: people have been told · `taken`: somebody comes. */
export type HelpState =
  | { kind: 'none' }
  | { kind: 'sending' | 'unsent' | 'told'; help: Help }
  | { kind: 'taken'; help: Help; by: string };

/** A device that thinks it is online may still wait in vain; after this it is said. */
const PATIENCE_MS = 10_000;
/** What nobody closed and no alert stands for is not shown for ever. */
const LASTS_MS = 120 * MINUTE_MS;
/** Clocks of device and server may differ by this much when an alert is matched to its cry. */
const SLACK_MS = MINUTE_MS;

/** Whether somebody who presses "Hjälp" says something new: a second press while help is on its way only shows how it
 *  stands, but that they do not want to do something is no call for help. */
export function isNewCall(state: HelpState): boolean {
  return state.kind === 'none' || state.help.why === 'unwilling';
}

export function helpState(
  helps: readonly Help[],
  alerts: readonly Called[],
  { now, online }: { now: number; online: boolean },
): HelpState {
  const help = helps.reduce<Help | null>(
    (last, each) => (last && last.at > each.at ? last : each),
    null,
  );
  if (help === null) return { kind: 'none' };
  if (help.pending) {
    const waits = !online || now - help.at > PATIENCE_MS;
    return { kind: waits ? 'unsent' : 'sending', help };
  }
  const its = alerts
    .filter((alert) => alert.occ === help.occ)
    .filter((alert) => alert.at >= help.at - SLACK_MS)
    .sort((a, b) => b.at - a.at)[0];
  if (its?.closed) return { kind: 'none' };
  if (its?.taken) return { kind: 'taken', help, by: its.taken };
  return now - help.at > LASTS_MS ? { kind: 'none' } : { kind: 'told', help };
}
