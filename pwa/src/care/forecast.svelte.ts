/** Who would be told, and when, as the server knows it: relations, duty, quiet hours, and by what each one is reached. */
import { api, ApiError } from '../app/api';
import type { Criticality } from '../plan/model';
import type { Ladder, Matter, Step, Way } from './ladder';

type NotTold = 'later' | 'quiet' | 'no_channel' | 'no_sight';

export interface ForecastStep extends Step {
  n: number;
  at: string;
  told: { account: string; name: string; by: Way[] }[];
  not_told: { account: string; name: string; why: NotTold }[];
}

export interface Forecast {
  chosen: 'resident' | 'template' | 'usual' | 'given';
  for: Matter | null;
  start: string;
  late_at: string;
  missed_at: string;
  steps: ForecastStep[];
  reaches_somebody: boolean;
}

export interface Question {
  category: string;
  criticality: Criticality;
  /** When it begins, an instant. */
  at: string;
  /** Minutes. */
  grace: number;
  /** Only those may know who see medication. */
  order?: boolean;
  /** Steps that are not saved; absent: those that hold. */
  steps?: Ladder['steps'];
}

const PAUSE_MS = 350;

/** The newest answer to what is asked while somebody writes. */
export class Asking {
  answer = $state.raw<Forecast | null>(null);
  /** Why there is none: no network, or the server would not say. */
  trouble = $state<'offline' | 'unknown' | null>(null);
  #turn = 0;

  /** Asks when nobody has asked anything else for a moment; answers how to let it be. */
  ask(space: string, question: Question): () => void {
    const turn = ++this.#turn;
    const timer = setTimeout(() => void this.#look(turn, space, question), PAUSE_MS);
    return () => clearTimeout(timer);
  }

  async #look(turn: number, space: string, question: Question): Promise<void> {
    try {
      const answer = await api.post<Forecast>(`residents/${space}/ladder`, question);
      if (turn === this.#turn) Object.assign(this, { answer, trouble: null });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // What was true of other steps is not true of these.
      const trouble = error.code === 'offline' ? 'offline' : 'unknown';
      if (turn === this.#turn) Object.assign(this, { answer: null, trouble });
    }
  }
}
