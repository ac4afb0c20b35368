/** Whether the person is in the middle of something that the app must not interrupt: an alarm, ten seconds to undo. */

let holders = $state(0);

export const busy = {
  get now(): boolean {
    return holders > 0;
  },

  /** From now until the returned function is called: `$effect(() => busy.hold())`. */
  hold(): () => void {
    holders += 1;
    let held = true;
    return () => {
      if (held) holders -= 1;
      held = false;
    };
  },
};
