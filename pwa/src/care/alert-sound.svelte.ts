/** Which sound an alert makes on this device, of whoever is told of it. Kept on the device. */
import { SOUNDS, type Sound } from '../app/sound-names';

const CHOICE = 'mos.alert_sound';
const USUAL: Sound = 'chimes';

class AlertSound {
  chosen = $state<Sound>(read(stored()));
  /** What it was before it was silent. */
  #before: Sound = this.chosen === 'none' ? USUAL : this.chosen;

  choose(sound: Sound): void {
    this.chosen = sound;
    if (sound !== 'none') this.#before = sound;
    try {
      localStorage.setItem(CHOICE, sound);
    } catch {
      // The choice lasts until the app is closed.
    }
  }

  switch(on: boolean): void {
    this.choose(on ? this.#before : 'none');
  }
}

export const alertSound = new AlertSound();

/** `on` and `off` are what a release before this one kept. */
export function read(kept: string | null): Sound {
  if (kept === 'off' || kept === 'none') return 'none';
  return SOUNDS.find((sound) => sound === kept) ?? USUAL;
}

function stored(): string | null {
  try {
    return localStorage.getItem(CHOICE);
  } catch {
    return null;
  }
}
