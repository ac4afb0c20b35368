/** Whether the person is in the middle of something that the app must not interrupt: an alarm, ten seconds to undo. */
import { untrack } from 'svelte';

let holders = $state(0);

/** Counting reads what it writes: inside an effect that would run the effect again, for ever. */
function count(by: 1 | -1): void {
  holders = untrack(() => holders) + by;
}

export const busy = {
  get now(): boolean {
    return holders > 0;
  },

  /** From now until the returned function is called: `$effect(() => busy.hold())`. */
  hold(): () => void {
    count(1);
    let held = true;
    return () => {
      if (held) count(-1);
      held = false;
    };
  },
};
