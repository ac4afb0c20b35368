/** A list that comes page by page, latest first; a new question begins it anew. */
import { api, ApiError } from '../../app/api';

interface Page<Entry> {
  entries: Entry[];
  /** What is asked with for what follows; null: that was all. */
  next: string | null;
}

export class Pages<Entry> {
  entries = $state.raw<Entry[]>([]);
  next = $state<string | null>(null);
  state = $state<'waiting' | 'ready' | 'failed'>('waiting');
  more = $state<'no' | 'busy' | 'failed'>('no');
  error = $state.raw<ApiError | null>(null);
  #asked = 0;
  #path = '';

  constructor(
    /** The address of what follows a page. */
    readonly after: (path: string, next: string) => string,
    readonly read: (answer: never) => Page<Entry>,
  ) {}

  async load(path: string): Promise<void> {
    const asked = ++this.#asked;
    this.#path = path;
    Object.assign(this, { state: 'waiting', more: 'no' });
    try {
      const page = this.read(await api.get<never>(path));
      if (asked !== this.#asked) return;
      Object.assign(this, { entries: page.entries, next: page.next, state: 'ready' });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (asked === this.#asked) Object.assign(this, { error, state: 'failed' });
    }
  }

  async follow(): Promise<void> {
    if (this.next === null || this.more === 'busy') return;
    const asked = this.#asked;
    this.more = 'busy';
    try {
      const page = this.read(await api.get<never>(this.after(this.#path, this.next)));
      if (asked !== this.#asked) return;
      const entries = [...this.entries, ...page.entries];
      Object.assign(this, { entries, next: page.next, more: 'no' });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (asked === this.#asked) Object.assign(this, { error, more: 'failed' });
    }
  }
}
