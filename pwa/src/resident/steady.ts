/** A shaking finger that presses twice answers one alarm, not also the next that takes its place under it. */

const PAUSE_MS = 700;

/** Does what it is given, unless something was done a moment ago. `now` in ms. */
export function steady(now: () => number): (act: () => void) => void {
  let last = -Infinity;
  return (act) => {
    if (now() - last < PAUSE_MS) return;
    last = now();
    act();
  };
}
