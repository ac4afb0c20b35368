/** An organisation's ladders for residents who have none of their own: fetched from the server, which alone knows them. */
import { api, ApiError } from '../app/api';
import { readStep, type Ladder, type Matter, type Step } from './ladder';
import { written } from './ladder-form';
import type { Criticality } from '../plan/model';

interface Body {
  readonly templates: readonly {
    readonly category: string | null;
    readonly criticality: Criticality | null;
    readonly steps: readonly unknown[];
  }[];
}

class Templates {
  /** The widest last. */
  all = $state.raw<readonly Ladder[]>([]);
  state = $state<'waiting' | 'ready' | 'failed'>('waiting');
  error = $state.raw<ApiError | null>(null);

  async load(): Promise<void> {
    try {
      this.#take(await api.get<Body>('ladder-templates'));
      this.state = 'ready';
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // What is on the screen is true enough to read.
      if (this.state === 'ready') return;
      Object.assign(this, { error, state: 'failed' });
    }
  }

  of({ category, criticality }: Matter): Ladder | null {
    return (
      this.all.find((each) => each.category === category && each.criticality === criticality) ??
      null
    );
  }

  /** `instead`: what it was for until now. */
  async put(matter: Matter, steps: readonly Step[], instead: Matter = matter): Promise<void> {
    const { category, criticality } = matter;
    this.#take(
      await api.put<Body>('ladder-templates', {
        category,
        criticality,
        steps: steps.map(written),
        instead_of: { category: instead.category, criticality: instead.criticality },
      }),
    );
  }

  async remove({ category, criticality }: Matter): Promise<void> {
    const query = new URLSearchParams({
      ...(category !== null && { category }),
      ...(criticality !== null && { criticality }),
    });
    await api.delete(`ladder-templates?${query.toString()}`);
    this.all = this.all.filter(
      (each) => each.category !== category || each.criticality !== criticality,
    );
  }

  #take({ templates }: Body): void {
    this.all = templates.map(({ category, criticality, steps }) => ({
      category,
      criticality,
      steps: steps.map(readStep),
    }));
  }
}

export const templates = new Templates();
