/** One unit's rotas and turns: fetched when the screen opens, fetched again after each change. */
import { api, ApiError } from '../../app/api';
import { DAYS_KNOWN, ruleOf, type Rota, type RotaRule, type Turn } from './rota';

export class Rotas {
  rotas = $state.raw<Rota[]>([]);
  turns = $state.raw<Turn[]>([]);
  state = $state<'waiting' | 'ready' | 'failed'>('waiting');
  error = $state.raw<ApiError | null>(null);
  #asked = 0;

  constructor(readonly unit: string) {}

  async load(): Promise<void> {
    try {
      await this.#look();
      this.state = 'ready';
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // What is on the screen stays true enough to read: turns are known two weeks ahead.
      if (this.state === 'ready') return;
      Object.assign(this, { error, state: 'failed' });
    }
  }

  async add(rule: RotaRule): Promise<Rota> {
    const made = await api.post<Rota>(`units/${this.unit}/rotas`, rule);
    await this.#look();
    return made;
  }

  async change(id: string, rule: RotaRule): Promise<void> {
    await api.put(`rotas/${id}`, rule);
    await this.#look();
  }

  async end(id: string): Promise<void> {
    await api.delete(`rotas/${id}`);
    await this.#look();
  }

  /** Put an ended rota back, with its changed days. */
  async restore(rota: Rota): Promise<void> {
    const made = await api.post<Rota>(`units/${this.unit}/rotas`, ruleOf(rota));
    for (const { day, account } of rota.changes) {
      await api.put(`rotas/${made.id}/changes/${day}`, { account });
    }
    await this.#look();
  }

  /** Give a day's turn to somebody, to nobody (null), or back to the rule (undefined). */
  async swap(id: string, day: string, account: string | null | undefined): Promise<void> {
    const path = `rotas/${id}/changes/${day}`;
    await (account === undefined ? api.delete(path) : api.put(path, { account }));
    await this.#look();
  }

  async #look(): Promise<void> {
    const asked = ++this.#asked;
    const [rotas, turns] = await Promise.all([
      api.get<Rota[]>(`units/${this.unit}/rotas`),
      api.get<Turn[]>(`units/${this.unit}/duty?days=${DAYS_KNOWN}`),
    ]);
    if (asked === this.#asked) Object.assign(this, { rotas, turns });
  }
}
