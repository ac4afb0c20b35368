/** Whether this page may make a sound yet. */
import { open } from './sound';

class SoundState {
  /** True until somebody has touched the page: an alarm would be silent now. */
  locked = $state(true);
  /** Another tab of this device makes heard what calls: one of them is enough. */
  elsewhere = $state(false);

  constructor() {
    for (const gesture of ['pointerdown', 'keydown', 'touchend']) {
      addEventListener(gesture, () => void this.unlock(), { capture: true });
    }
  }

  /** Call from a gesture (and once at start: an installed app may be allowed to sound at once).
   *  Resolves when it is known whether sound works. */
  async unlock(): Promise<boolean> {
    const audio = open();
    if (audio === null) return false;
    audio.onstatechange = () => this.#look(audio);
    // Without a gesture, resume() waits for one for ever: look soon, and again when the state changes.
    await Promise.race([
      audio.resume().catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, 300)),
    ]);
    this.#look(audio);
    return !this.locked;
  }

  #look(audio: AudioContext): void {
    // `interrupted` is iOS during a call.
    this.locked = audio.state !== 'running';
  }
}

export const sound = new SoundState();

export function unlock(): Promise<boolean> {
  return sound.unlock();
}
