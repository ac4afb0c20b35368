/** Reading aloud with a voice of the device, in the app's language. Where there is none, the button is not shown:
 *  an English voice that reads Swedish helps nobody. */
import { language, locale } from '../../app/i18n.svelte';

class Speech {
  #voices = $state.raw<readonly SpeechSynthesisVoice[]>([]);
  /** Only voices on this device: what a person does today goes to no cloud. Some engines say `sv`, some `sv-SE`. */
  readonly #voice = $derived(
    this.#voices.find(
      (voice) => voice.localService && voice.lang.toLowerCase().startsWith(language()),
    ),
  );
  readonly possible = $derived(this.#voice !== undefined);

  constructor() {
    if (!('speechSynthesis' in globalThis)) return;
    const look = (): void => {
      this.#voices = speechSynthesis.getVoices();
    };
    look();
    speechSynthesis.addEventListener('voiceschanged', look);
  }

  say(text: string): void {
    if (this.#voice === undefined) return;
    const words = new SpeechSynthesisUtterance(text);
    words.voice = this.#voice;
    words.lang = this.#voice.lang || locale();
    words.rate = 0.9;
    speechSynthesis.cancel();
    speechSynthesis.speak(words);
  }
}

export const speech = new Speech();
