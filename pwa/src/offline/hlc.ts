/** Hybrid logical clock: 12 hex of milliseconds, 4 hex counter, 16 hex of the device. Plain string order is the order.
 *  Pure; held to the server's by spec/vectors/hlc.json. */

const COUNTER_MAX = 0xffff;

/** Smaller than every stamp. */
export const NEVER = '';

/** The stamp of a new change: later than `last`, and than `physical` (ms) unless `last` is ahead of it. */
export function send(last: string, physical: number, actor: string): string {
  const before = parse(last);
  return last === NEVER || before.ms < physical ? stamp(physical, 0, actor) : after(before, actor);
}

/** What the clock reads after seeing `remote`: later than `last` and `remote`. */
export function receive(last: string, remote: string, physical: number, actor: string): string {
  return send(tick(last) > tick(remote) ? last : remote, physical, actor);
}

export function stamp(ms: number, counter: number, actor: string): string {
  return hex(Math.max(0, Math.floor(ms)), 12) + hex(counter, 4) + actor;
}

/** Milliseconds since 1970 of a stamp; 0 for `NEVER`. */
export function millis(hlc: string): number {
  return parse(hlc).ms;
}

function after({ ms, counter }: { ms: number; counter: number }, actor: string): string {
  return counter < COUNTER_MAX ? stamp(ms, counter + 1, actor) : stamp(ms + 1, 0, actor);
}

function parse(hlc: string): { ms: number; counter: number } {
  if (hlc === NEVER) return { ms: 0, counter: 0 };
  return {
    ms: Number.parseInt(hlc.slice(0, 12), 16),
    counter: Number.parseInt(hlc.slice(12, 16), 16),
  };
}

/** The part that tells time: without the device. */
function tick(hlc: string): string {
  return hlc.slice(0, 16);
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}
