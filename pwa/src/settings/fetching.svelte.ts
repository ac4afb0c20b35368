/** What the panels of the settings fetch. Without contact that is said once, for all of them; they are tried again together,
 *  and by themselves once contact is back. */
import { ApiError } from '../app/api';

export class Fetching {
  /** Those that met no server, and may be tried again. */
  #missed = $state.raw<readonly Panel[]>([]);
  #busy = $state(false);

  /** Something could not be fetched. */
  get lost(): boolean {
    return this.#missed.length > 0;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** A panel that shows what `look` fetches. */
  panel(look: () => Promise<unknown>): Panel {
    return new Panel(this, look);
  }

  /** Try all that could not be fetched. */
  async again(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await Promise.all(this.#missed.map((panel) => panel.fetch()));
    } finally {
      this.#busy = false;
    }
  }

  note(panel: Panel, missed: boolean): void {
    if (this.#missed.includes(panel) === missed) return;
    this.#missed = missed
      ? [...this.#missed, panel]
      : this.#missed.filter((each) => each !== panel);
  }
}

export class Panel {
  /** It has nothing to show until there is contact. */
  away = $state(false);
  readonly #all: Fetching;
  readonly #look: () => Promise<unknown>;
  #gone = false;

  constructor(all: Fetching, look: () => Promise<unknown>) {
    this.#all = all;
    this.#look = look;
  }

  /** For `onMount`: fetch now; what it returns lets it be. */
  start(): () => void {
    void this.fetch();
    return () => {
      this.#gone = true;
      this.#all.note(this, false);
    };
  }

  /** What is no lack of contact is the panel's own to tell: `look` sees to it. */
  async fetch(): Promise<void> {
    let missed = false;
    try {
      await this.#look();
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'offline') throw error;
      missed = true;
    }
    if (this.#gone) return;
    this.away = missed;
    this.#all.note(this, missed);
  }
}

/** Of the page that is open: there is one. */
export const fetching = new Fetching();
