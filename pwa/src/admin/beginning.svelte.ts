/** The first steps of this home, live: what is done, and what comes next. */
import { clock } from '../app/clock.svelte';
import { mos } from '../app/mos.svelte';
import { people } from './people.svelte';
import { nextStep, STEPS_OF, stepsDone, type Step } from './rules';

class Beginning {
  readonly steps: readonly Step[] = $derived(
    STEPS_OF[mos.session?.organisation.policy ?? 'care_record'],
  );

  /** The residents whose plan may be seen and has nothing in it. */
  readonly #unplanned: string[] = $derived(this.#plans(false));

  readonly done: Record<Step, boolean> = $derived(
    stepsDone(people, {
      me: mos.session?.account.id ?? '',
      connected: people.connected,
      planned: this.#plans(true).length > 0,
      now: clock.minute,
    }),
  );

  readonly next: Step | null = $derived(nextStep(this.steps, this.done));

  /** Whose plan is the first to be made; null for nobody's, or when several are there to choose from. */
  get unplanned(): string | null {
    return this.#unplanned.length === 1 ? (this.#unplanned[0] ?? null) : null;
  }

  #plans(planned: boolean): string[] {
    return people.residents
      .filter(({ archived_at }) => archived_at === null)
      .map(({ space }) => space)
      .filter((space) => mos.replica.rows(space, 'reminder').length > 0 === planned);
  }
}

export const beginning = new Beginning();
