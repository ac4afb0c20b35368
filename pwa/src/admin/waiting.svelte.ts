/** A one-time link that is shown, until somebody takes it: which device did, within two seconds. */
import { api, ApiError } from '../app/api';

const AGAIN_MS = 2_000;

interface State {
  readonly used_at: string | null;
  readonly device: string | null;
  readonly device_name: string | null;
}

export class Waiting {
  /** Null until it was taken. */
  taken = $state.raw<State | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Ask until it is taken, or `stop` is called. */
  start(account: string, invitation: string): void {
    const look = async (): Promise<void> => {
      try {
        const state = await api.get<State>(`accounts/${account}/invitations/${invitation}`);
        if (state.used_at !== null) {
          this.taken = state;
          return;
        }
      } catch (error) {
        // Without a network nothing is known; it is asked again.
        if (!(error instanceof ApiError)) throw error;
      }
      this.#timer = setTimeout(() => void look(), AGAIN_MS);
    };
    this.#timer = setTimeout(() => void look(), AGAIN_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
