/** Plays a file of sound, one at a time. By Web Audio: the content policy lets no page play what it holds in memory otherwise. */
import { open } from './sound';

let playing: { source: AudioBufferSourceNode; over: () => void } | null = null;

/** The file as it can be played. Fails where this browser cannot read it, or makes no sound at all. */
export async function decode(file: ArrayBuffer): Promise<AudioBuffer> {
  const audio = open();
  if (audio === null) throw new Error('This browser makes no sound.');
  // Decoding takes the file's memory away.
  return audio.decodeAudioData(file.slice(0));
}

/** Ends what plays, and begins. Resolves when it is over or was ended: true when it was heard to its end. */
export async function play(sound: AudioBuffer, loudness = 1): Promise<boolean> {
  hush();
  const audio = open();
  if (audio === null) return false;
  await Promise.race([audio.resume(), after(300)]);
  if (audio.state !== 'running') return false;
  return new Promise((resolve) => {
    const source = audio.createBufferSource();
    const volume = audio.createGain();
    volume.gain.value = loudness;
    source.buffer = sound;
    source.connect(volume).connect(audio.destination);
    const over = (heard: boolean): void => {
      if (playing?.source === source) playing = null;
      clearTimeout(timer);
      resolve(heard);
    };
    // A call on the device stops all sound, and then nobody says that it has ended.
    const timer = setTimeout(() => over(false), sound.duration * 1000 + 2_000);
    source.onended = () => over(playing?.source === source);
    playing = { source, over: () => over(false) };
    source.start();
  });
}

/** Ends what plays. */
export function hush(): void {
  const before = playing;
  playing = null;
  before?.over();
  before?.source.stop();
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
