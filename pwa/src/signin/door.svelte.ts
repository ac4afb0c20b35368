/** The door that all ways in lead through: sign-in, claim, a link. One try at a time; what went wrong stays until the next. */
import {
  beAnotherDevice,
  beforeEntering,
  deviceId,
  deviceName,
  enter,
  enteringFailed,
  Unsent,
} from '../app/account';
import { api, ApiError } from '../app/api';
import { go } from '../app/router.svelte';
import type { Session } from '../app/session';

interface Device {
  readonly device_id: string;
  readonly device_name: string;
}
type Ask = (device: Device) => Promise<Session>;

class Door {
  busy = $state(false);
  error = $state.raw<ApiError | null>(null);
  /** Going on loses what somebody else did here. */
  unsent = $state.raw<Unsent | null>(null);
  #ask: Ask | null = null;
  #session: Session | null = null;
  #then = '/';

  /** Try to get in; then show `path`. */
  async open(ask: Ask, then = '/'): Promise<void> {
    if (this.busy) return;
    this.#ask = ask;
    this.#then = then;
    await this.#try(async () => {
      await beforeEntering();
      this.#session = await ask({
        device_id: await deviceId(),
        device_name: (await deviceName()).slice(0, 200),
      });
      await this.#enter(this.#session, false);
    });
  }

  /** Somebody else is signed in on this device as far as the server knows: be a new device, and try again. */
  async openAnew(): Promise<void> {
    await beAnotherDevice();
    if (this.#ask !== null) await this.open(this.#ask, this.#then);
  }

  /** Go on, and lose what somebody else did here. */
  async lose(): Promise<void> {
    const session = this.#session;
    if (session !== null) await this.#try(() => this.#enter(session, true));
  }

  /** Leave the device to who used it before. */
  async turnBack(): Promise<void> {
    this.unsent = null;
    await this.#try(
      async () => {
        await api.delete('session');
        await enteringFailed({ certain: true });
      },
      { refusable: false },
    );
  }

  forgetError(): void {
    this.error = null;
  }

  async #enter(session: Session, lose: boolean): Promise<void> {
    try {
      await enter(session, { lose });
    } catch (error) {
      if (!(error instanceof Unsent)) throw error;
      this.unsent = error;
      return;
    }
    this.unsent = null;
    go(this.#then, { replace: true });
  }

  /** `refusable`: that the server said no means that nobody came in. */
  async #try(what: () => Promise<void>, { refusable = true } = {}): Promise<void> {
    this.busy = true;
    this.error = null;
    try {
      await what();
    } catch (error) {
      // Without the server's own answer a cookie may have come all the same.
      const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
      await enteringFailed({ certain: refusable && refused });
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
    } finally {
      this.busy = false;
    }
  }
}

export const door = new Door();
