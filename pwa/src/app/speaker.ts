/** Which of a device's tabs speaks and rings for it: the one that can ring. By Web Locks, so a tab that is gone holds nothing. */

const RINGS = 'mos-rings';
/** Where no tab can ring, the oldest one says so. */
const SPEAKS = 'mos-speaks';

type Locks = Pick<LockManager, 'request' | 'query'>;

export class Speaker {
  readonly #locks: Locks | null;
  readonly #changed: () => void;
  /** This tab is the one that rings. */
  holds: boolean;
  #speaks = false;
  /** Ends what is held or waited for; null while this tab does not ask to ring. */
  #end: AbortController | null = null;

  /** `changed`: this tab may speak from now on, as it could not before. Plain http has no locks: there every tab speaks. */
  constructor(
    changed: () => void,
    locks: Locks | null = (navigator as { locks?: LockManager }).locks ?? null,
  ) {
    this.#changed = changed;
    this.#locks = locks;
    this.holds = locks === null;
    void locks?.request(SPEAKS, () => {
      this.#speaks = true;
      this.#changed();
      return new Promise(() => undefined);
    });
  }

  /** Whether this tab can ring, which it says each time that this may be different. Where there are no locks, each does. */
  rings(can: boolean): void {
    if (this.#locks === null || can === (this.#end !== null)) return;
    if (!can) {
      this.#end?.abort();
      this.#end = null;
      this.holds = false;
      return;
    }
    const end = new AbortController();
    this.#end = end;
    const held = async (): Promise<void> => {
      this.holds = true;
      this.#changed();
      await new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve()));
    };
    // Aborted while it waits: it does not ask any more.
    void this.#locks.request(RINGS, { signal: end.signal }, held).catch(() => undefined);
  }

  /** Whether what this tab is like is what the device is like. */
  async speaks(): Promise<boolean> {
    if (this.holds) return true;
    if (!this.#speaks) return false;
    const { held = [] } = await (this.#locks as Locks).query();
    return !held.some(({ name }) => name === RINGS);
  }
}
