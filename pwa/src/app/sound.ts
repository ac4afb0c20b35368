/** Sounds made here, note by note, from small data: nothing to fetch, nothing of anybody else's. Each begins as a
 *  murmur and rises for forty seconds. Browsers keep silent until somebody has touched the page; `sound.locked` says so. */

import type { Sound } from './sound-names';

export interface Ringing {
  /** How loud it becomes, in percent of what the device can. */
  readonly loudest?: number;
  /** In how many seconds. */
  readonly rise?: number;
}

const RISE_S = 40;
const FIRST_GAIN = 0.06;
const FULL_GAIN = 0.9;

export interface Tone {
  readonly hz: number;
  /** Where a gliding tone ends, in Hz. */
  readonly to?: number;
  /** Seconds into the figure. */
  readonly at: number;
  readonly seconds: number;
  readonly gain: number;
}
export interface Voice {
  /** One figure is this long, then it begins again. */
  readonly seconds: number;
  readonly tones: readonly Tone[];
  /** Overtones: how many times the tone, how loud, and how much of the length they last. */
  readonly partials: readonly (readonly [times: number, gain: number, lasts: number])[];
  /** Seconds until a tone is at its loudest. */
  readonly attack: number;
}

/** A hummed third and fifth, like someone calling from the next room. Also what is heard while the others are not here. */
const SOFT: Voice = {
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
};

let voices: Partial<Record<Sound, Voice>> = {};

/** Fetches what the others are made of, once. Without it the soft one takes their place. */
export async function learn(): Promise<void> {
  if (voices.bell !== undefined) return;
  const found = await import('./sound-voices').catch(() => null);
  if (found !== null) voices = found.VOICES;
}

let context: AudioContext | null = null;

/** Starts the sound and raises it; the returned function ends it within a tenth of a second. */
export function ring(sound: Sound, how: Ringing = {}): () => void {
  if (sound === 'none') return () => undefined;
  const audio = open();
  if (audio === null) return () => undefined;
  void learn();
  const begin = audio.currentTime + 0.05;
  const loudness = raise(audio, how, begin);
  const figures = compose(audio, loudness, sound, begin);
  // Figures are put in ahead of time, so that a busy page does not stutter.
  const more = (): void => figures(audio.currentTime + 6);
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

/** The first `seconds` of a sound as a device plays it; it ends in the middle of whatever sounds then. */
export async function rendered(
  sound: Exclude<Sound, 'none'>,
  seconds: number,
  how: Ringing = {},
): Promise<AudioBuffer> {
  const audio = new OfflineAudioContext(1, seconds * 44_100, 44_100);
  compose(audio, raise(audio, how, 0), sound, 0)(seconds);
  return audio.startRendering();
}

function raise(audio: BaseAudioContext, { loudest = 100, rise = RISE_S }: Ringing, begin: number) {
  const loudness = audio.createGain();
  // Half of the way is heard as half as loud.
  const full = FULL_GAIN * (Math.min(Math.max(loudest, 10), 100) / 100) ** 2;
  loudness.gain.setValueAtTime(Math.min(FIRST_GAIN, full / 4), begin);
  // Loudness is heard in steps of doubling: an even rise is an exponential one.
  loudness.gain.exponentialRampToValueAtTime(full, begin + rise);
  loudness.connect(limiter(audio));
  return loudness;
}

/** Returns what puts in all figures that begin before a moment. */
function compose(
  audio: BaseAudioContext,
  to: AudioNode,
  sound: Exclude<Sound, 'none'>,
  begin: number,
): (until: number) => void {
  const voice = voices[sound] ?? SOFT;
  let next = begin;
  return (until) => {
    for (; next < until; next += voice.seconds)
      for (const tone of voice.tones) play(audio, to, voice, tone, next);
  };
}

/** The shared context, made when first needed; null where the browser has none. */
export function open(): AudioContext | null {
  if (typeof AudioContext === 'undefined') return null;
  context ??= new AudioContext({ latencyHint: 'playback' });
  return context;
}

function play(
  audio: BaseAudioContext,
  to: AudioNode,
  voice: Voice,
  tone: Tone,
  figure: number,
): void {
  const at = figure + tone.at;
  for (const [times, gain, lasts] of voice.partials) {
    const envelope = audio.createGain();
    const end = at + tone.seconds * lasts;
    envelope.gain.setValueAtTime(0.0001, at);
    envelope.gain.exponentialRampToValueAtTime(tone.gain * gain, at + voice.attack);
    envelope.gain.exponentialRampToValueAtTime(0.0001, end);
    envelope.connect(to);
    const source = audio.createOscillator();
    source.frequency.setValueAtTime(tone.hz * times, at);
    if (tone.to !== undefined)
      source.frequency.exponentialRampToValueAtTime(tone.to * times, at + tone.seconds);
    source.connect(envelope);
    source.start(at);
    source.stop(end);
  }
}

/** Two tones at once must not crackle in a small loudspeaker. */
function limiter(audio: BaseAudioContext): AudioNode {
  const compressor = audio.createDynamicsCompressor();
  compressor.threshold.value = -10;
  compressor.ratio.value = 12;
  compressor.connect(audio.destination);
  return compressor;
}
