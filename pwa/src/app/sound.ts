/** The alarm: two sounds made here, note by note, that begin as a murmur and rise for twenty seconds.
 *  Browsers keep silent until somebody has touched the page; `sound.locked` says so. */

export type Sound = 'soft' | 'bell' | 'none';

const RISE_S = 20;
const FIRST_GAIN = 0.06;
const FULL_GAIN = 0.9;

interface Tone {
  readonly hz: number;
  /** Seconds into the figure. */
  readonly at: number;
  readonly seconds: number;
  readonly gain: number;
}
interface Voice {
  /** One figure is this long, then it begins again. */
  readonly seconds: number;
  readonly tones: readonly Tone[];
  /** Overtones: how many times the tone, how loud, and how much of the length they last. */
  readonly partials: readonly (readonly [times: number, gain: number, lasts: number])[];
  readonly attack: number;
}

const VOICES: Record<Exclude<Sound, 'none'>, Voice> = {
  // A hummed third and fifth, like someone calling from the next room.
  soft: {
    seconds: 4,
    tones: [
      { hz: 392, at: 0, seconds: 1.5, gain: 0.5 },
      { hz: 493.88, at: 0.55, seconds: 1.5, gain: 0.5 },
      { hz: 587.33, at: 1.1, seconds: 2.1, gain: 0.55 },
    ],
    partials: [
      [1, 1, 1],
      [2, 0.18, 0.8],
      [3, 0.05, 0.5],
    ],
    attack: 0.09,
  },
  // A small bell struck twice; inharmonic overtones make it metal.
  bell: {
    seconds: 2.6,
    tones: [
      { hz: 880, at: 0, seconds: 1.7, gain: 0.5 },
      { hz: 880, at: 0.42, seconds: 2.1, gain: 0.42 },
    ],
    partials: [
      [1, 1, 1],
      [2.01, 0.5, 0.7],
      [3.02, 0.28, 0.45],
      [4.17, 0.16, 0.3],
      [5.43, 0.08, 0.2],
    ],
    attack: 0.004,
  },
};

let context: AudioContext | null = null;

/** Starts the sound and raises it; the returned function ends it within a tenth of a second. */
export function ring(sound: Sound): () => void {
  if (sound === 'none') return () => undefined;
  const audio = open();
  if (audio === null) return () => undefined;
  const voice = VOICES[sound];
  const loudness = audio.createGain();
  const begin = audio.currentTime + 0.05;
  loudness.gain.setValueAtTime(FIRST_GAIN, begin);
  // Loudness is heard in steps of doubling: an even rise is an exponential one.
  loudness.gain.exponentialRampToValueAtTime(FULL_GAIN, begin + RISE_S);
  loudness.connect(limiter(audio));
  let next = begin;
  // Figures are put in ahead of time, so that a busy page does not stutter.
  const more = (): void => {
    while (next < audio.currentTime + 6) {
      for (const tone of voice.tones) play(audio, loudness, voice, tone, next);
      next += voice.seconds;
    }
  };
  more();
  const timer = setInterval(more, 2000);
  return () => {
    clearInterval(timer);
    loudness.gain.cancelScheduledValues(audio.currentTime);
    loudness.gain.setTargetAtTime(0, audio.currentTime, 0.03);
    setTimeout(() => {
      loudness.disconnect();
    }, 200);
  };
}

/** The shared context, made when first needed; null where the browser has none. */
export function open(): AudioContext | null {
  if (typeof AudioContext === 'undefined') return null;
  context ??= new AudioContext({ latencyHint: 'playback' });
  return context;
}

function play(audio: AudioContext, to: AudioNode, voice: Voice, tone: Tone, figure: number): void {
  const at = figure + tone.at;
  for (const [times, gain, lasts] of voice.partials) {
    const envelope = audio.createGain();
    const end = at + tone.seconds * lasts;
    envelope.gain.setValueAtTime(0.0001, at);
    envelope.gain.exponentialRampToValueAtTime(tone.gain * gain, at + voice.attack);
    envelope.gain.exponentialRampToValueAtTime(0.0001, end);
    envelope.connect(to);
    const source = audio.createOscillator();
    source.frequency.value = tone.hz * times;
    source.connect(envelope);
    source.start(at);
    source.stop(end);
  }
}

/** Two tones at once must not crackle in a small loudspeaker. */
function limiter(audio: AudioContext): AudioNode {
  const compressor = audio.createDynamicsCompressor();
  compressor.threshold.value = -10;
  compressor.ratio.value = 12;
  compressor.connect(audio.destination);
  return compressor;
}
