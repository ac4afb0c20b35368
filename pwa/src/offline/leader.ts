/** When to meet the server: at once after a change or a hint, else now and then, with patience when it does not answer.
 *  One tab leads at a time; it also listens to the server's hints. */
import type { Engine } from './engine';
import type { Platform } from './platform';
import { SyncError, type Network, type SyncFailure } from './protocol';

const POLL_MS = 60_000;
const BACKOFF_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;

/** Where every tab is told that what the server says of people and permissions is different now. */
export const ACCESS_CHANNEL = 'mos-access';

export interface LeaderHost {
  /** The end of a round: `null` when it went well. */
  ended(failure: SyncFailure | null): void;
  /** The highest place of a space that is held here. */
  seq(space: string): number;
  /** Something that is nobody's answer: a full or broken store, a fault of ours. True when it is mended. */
  broke(error: unknown): Promise<boolean>;
  /** This device was revoked. `nonce`: what the server wants to hear when all is forgotten. */
  wiped(nonce: string | null): Promise<void>;
}

export class Leader {
  readonly #engine: Engine;
  readonly #network: Network;
  readonly #platform: Platform;
  readonly #host: LeaderHost;
  #stopped = false;
  #failures = 0;
  #due = true;
  /** Until when the server asked to be left alone, ms. */
  #quietUntil = 0;
  #wake: () => void = () => undefined;
  #waiters: (() => void)[] = [];
  #hangUp: (() => void) | null = null;
  /** A stream has been open before. */
  #heard = false;
  readonly #access: ReturnType<Platform['channel']>;

  constructor(engine: Engine, network: Network, platform: Platform, host: LeaderHost) {
    this.#engine = engine;
    this.#network = network;
    this.#platform = platform;
    this.#host = host;
    this.#access = platform.channel(ACCESS_CHANNEL, () => undefined);
  }

  /** Lead until `stop`. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      this.#due = false;
      const waiters = this.#waiters;
      this.#waiters = [];
      const wait = await this.#round();
      for (const done of waiters) done();
      await this.#sleep(wait);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#quietUntil = 0;
    this.#silence();
    this.#access.close();
    this.nudge();
    for (const done of this.#waiters) done();
  }

  /** Meet the server soon. */
  nudge(): void {
    this.#due = true;
    this.#wake();
  }

  /** Resolves when a round that began after this call is over. */
  meet(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#quietUntil = 0;
      this.nudge();
    });
  }

  /** Returns how long to wait for the next, ms. */
  async #round(): Promise<number> {
    try {
      const { retryMs } = await this.#engine.round();
      this.#failures = 0;
      this.#host.ended(null);
      this.#listen();
      return retryMs ?? this.#jitter(POLL_MS);
    } catch (error) {
      if (error instanceof SyncError && error.kind === 'wipe') {
        this.#silence();
        await this.#host.wiped(error.nonce);
        return POLL_MS;
      }
      if (error instanceof SyncError) return this.#failed(error);
      // The device's own store failed; it may work again. Leading must not end with it.
      if (await this.#host.broke(error)) return 0;
      return this.#failed(new SyncError('busy'));
    }
  }

  #failed(error: SyncError): number {
    this.#silence();
    this.#host.ended(error.kind);
    this.#engine.forgetGreeting();
    if (error.kind === 'signed_out' || error.kind === 'upgrade_required')
      return this.#jitter(POLL_MS);
    const wait = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** this.#failures++);
    const patience = this.#jitter(error.retryAfterMs ?? wait);
    // A tap may try the network again at once; a server that asks for patience gets it.
    if (error.kind === 'busy') this.#quietUntil = this.#platform.now() + patience;
    return patience;
  }

  async #sleep(ms: number): Promise<void> {
    const until = this.#platform.now() + ms;
    while (!this.#stopped) {
      const now = this.#platform.now();
      const end = this.#due ? this.#quietUntil : until;
      // A clock that was set back must not make us sleep for days.
      if (now >= end || now < until - ms) return;
      await new Promise<void>((resolve) => {
        const cancel = this.#platform.later(end - now, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
      this.#wake = () => undefined;
    }
  }

  #listen(): void {
    if (this.#hangUp !== null || this.#stopped) return;
    let over = false;
    let missed = this.#heard;
    const hangUp = this.#network.poke({
      heads: (heads) => {
        // Between two streams nobody could tell us.
        if (missed) this.#accessChanged();
        missed = false;
        this.#heard = true;
        if (Object.entries(heads).some(([space, head]) => head > this.#host.seq(space)))
          this.nudge();
      },
      hint: () => this.nudge(),
      access: () => this.#accessChanged(),
      wipe: (nonce) => void this.#host.wiped(nonce),
      ended: (retryMs) => {
        if (over) return;
        over = true;
        this.#hangUp = null;
        // The round after the pause opens a new stream.
        this.#platform.later(this.#jitter(retryMs ?? BACKOFF_MS * 4), () => this.nudge());
      },
    });
    this.#hangUp = () => {
      over = true;
      hangUp();
    };
  }

  #accessChanged(): void {
    // The greeting says what we may do in each space.
    this.#engine.forgetGreeting();
    this.nudge();
    this.#access.say(null);
  }

  #silence(): void {
    this.#hangUp?.();
    this.#hangUp = null;
  }

  /** ± 50 %, so that a thousand devices do not knock at the same instant. */
  #jitter(ms: number): number {
    return Math.round(ms * (0.5 + this.#platform.chance()));
  }
}
