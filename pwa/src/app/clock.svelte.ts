/** The time, as something a screen can depend on. */

class Clock {
  /** Moment in ms since 1970; changes each second. */
  now = $state(Date.now());
  /** The same, cut to the minute: depend on it where a second does not show. */
  readonly minute = $derived(this.now - (this.now % 60_000));

  constructor() {
    this.#tick();
    // A sleeping tablet stops its timers: look again at once when it wakes.
    document.addEventListener('visibilitychange', () => (this.now = Date.now()));
  }

  #tick(): void {
    this.now = Date.now();
    // Just after the full second, so that the minute turns when the wall clock's does.
    setTimeout(() => this.#tick(), 1000 - (this.now % 1000) + 5);
  }
}

export const clock = new Clock();
