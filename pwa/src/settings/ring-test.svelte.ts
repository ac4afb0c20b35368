/** "Kan den här plattan ringa?", step by step: sound, permission, a real push; then what it means, kept by the server. */
import { deviceId } from '../app/account';
import { api, ApiError } from '../app/api';
import { device } from '../app/kept';
import { mos } from '../app/mos.svelte';
import {
  isInstalled,
  obstacle,
  permission,
  PushUnavailable,
  turnOn,
  type PushFailure,
} from '../app/push';
import { learn, ring } from '../app/sound';
import type { Sound } from '../app/sound-names';
import { unlock } from '../app/sound.svelte';
import { worker } from '../app/worker.svelte';
import { readProfile } from '../plan/day';
import { ringVerdict, type RingResult } from './ring-verdict';

const PUSH_MS = 30_000;
/** Between two test messages to the same device; the server asks for it. */
const PAUSE_MS = 5_500;

export type Step = 'sound' | 'push' | 'result';
/** What stands in the way of push: the browser's reasons, or the network's. */
export type PushTrouble = PushFailure | 'offline' | 'not_sent' | 'not_arrived';

class RingTest {
  step = $state<Step>('sound');
  playing = $state(false);
  /** Played at least once: now somebody can say whether they heard it. */
  played = $state(false);
  /** Nobody heard it: show what helps. */
  unheard = $state(false);
  /** How much of the wait for the push is over, 0–1; null when none is under way. */
  waited = $state<number | null>(null);
  trouble = $state<PushTrouble | null>(null);
  result = $state.raw<(RingResult & { persisted: boolean; installed: boolean }) | null>(null);
  /** The result did not reach the server. */
  unsaved = $state(false);
  #hush: () => void = () => undefined;
  #sound = false;
  #nonce: string | null = null;

  readonly verdict = $derived(this.result === null ? null : ringVerdict(this.result));

  begin(): void {
    this.stop();
    this.step = 'sound';
    this.played = this.unheard = false;
    this.trouble = this.result = null;
    this.#nonce = null;
  }

  /** The real alarm, from murmur to full. From a gesture. */
  async play(): Promise<void> {
    this.stop();
    await Promise.all([unlock(), learn()]);
    this.#hush = ring(this.#voice());
    this.playing = this.played = true;
    this.unheard = false;
  }

  stop(): void {
    this.#hush();
    this.#hush = () => undefined;
    this.playing = false;
  }

  heard(yes: boolean): void {
    this.stop();
    this.#sound = yes;
    if (yes) this.#toPush();
    else this.unheard = true;
  }

  /** Nobody hears it, and it cannot be helped now. */
  goOnSilent(): void {
    this.#toPush();
  }

  /** Ask for permission, subscribe, and wait for a message of our own to come back. From a gesture. */
  async push(): Promise<void> {
    this.trouble = null;
    this.waited = 0;
    try {
      await turnOn();
      this.#nonce = await this.#roundTrip();
    } catch (error) {
      this.trouble = troubleOf(error);
    } finally {
      this.waited = null;
    }
    if (this.trouble === null) await this.finish();
  }

  /** Keep what was found, with push or without. */
  async finish(): Promise<void> {
    this.waited = null;
    const persisted = isSecureContext && (await navigator.storage.persist().catch(() => false));
    const found = { sound: this.#sound, permission: permission(), push: this.#nonce !== null };
    await device().store.remember('ring_test', { ...found, at: new Date().toISOString() });
    this.result = { ...found, persisted, installed: isInstalled() };
    this.step = 'result';
    try {
      await api.put(`devices/${await deviceId()}/ring-test`, { ...found, nonce: this.#nonce });
      this.unsaved = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.unsaved = true;
    }
  }

  #toPush(): void {
    this.step = 'push';
    this.trouble = obstacle();
  }

  /** Resolves with the word that the push brought back. */
  async #roundTrip(): Promise<string> {
    const arrived: string[] = [];
    let arrive: (nonce: string) => void = () => undefined;
    // It may be faster than the answer that tells its word.
    const unsubscribe = worker.onPushed((payload) => {
      if (payload.kind === 'test') {
        arrived.push(payload.nonce);
        arrive(payload.nonce);
      }
    });
    const begun = performance.now();
    const ticking = setInterval(() => {
      this.waited = Math.min(1, (performance.now() - begun) / PUSH_MS);
    }, 200);
    try {
      const { nonce, sent } = await this.#send();
      if (!sent) throw new PushFailed('not_sent');
      if (!arrived.includes(nonce)) {
        await new Promise<void>((resolve, reject) => {
          arrive = (came) => {
            if (came === nonce) resolve();
          };
          setTimeout(() => {
            reject(new PushFailed('not_arrived'));
          }, PUSH_MS);
        });
      }
      return nonce;
    } finally {
      clearInterval(ticking);
      unsubscribe();
    }
  }

  async #send(): Promise<{ nonce: string; sent: boolean }> {
    const path = `devices/${await deviceId()}/ring-test`;
    try {
      return await api.post(path);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 429) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      return api.post(path);
    }
  }

  /** The resident's own alarm; for all others the usual one. */
  #voice(): Sound {
    const space =
      mos.session?.account.role === 'resident' ? mos.session.residents[0]?.space : undefined;
    if (space === undefined) return 'soft';
    const { sound } = readProfile(mos.replica.rows(space, 'profile')[0]);
    return sound === 'none' ? 'soft' : sound;
  }
}

export const ringTest = new RingTest();

class PushFailed extends Error {
  constructor(readonly why: PushTrouble) {
    super(why);
  }
}

function troubleOf(error: unknown): PushTrouble {
  if (error instanceof PushUnavailable || error instanceof PushFailed) return error.why;
  if (error instanceof ApiError) return error.status === 0 ? 'offline' : 'not_sent';
  throw error;
}
