/** What each sound is made of. Written for MOS, by ear and by the measures in test_sounds.py. */
import type { Tone, Voice } from './sound';
import type { Sound } from './sound-names';

/** Tones one after the other. */
function row(
  hz: readonly number[],
  every: number,
  seconds: number,
  gain: number,
  begin = 0,
): Tone[] {
  return hz.map((each, n) => ({ hz: each, at: begin + n * every, seconds, gain }));
}

/** A call that glides from one tone to another. */
function glide(hz: number, to: number, at: number, seconds: number, gain: number): Tone {
  return { hz, to, at, seconds, gain };
}

export const VOICES: Record<Exclude<Sound, 'soft' | 'none'>, Voice> = {
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
  // A music box: five notes of one scale, which nothing in them can make sound wrong.
  chimes: {
    seconds: 4.8,
    tones: [
      ...row([523.25, 659.25, 783.99, 1046.5], 0.45, 1.8, 0.34),
      ...row([880, 783.99], 0.6, 2, 0.3, 2.1),
    ],
    partials: [
      [1, 1, 1],
      [2.76, 0.22, 0.4],
      [5.4, 0.06, 0.2],
    ],
    attack: 0.008,
  },
  // Two answers of a small bird, and the quiet after them.
  bird: {
    seconds: 4.4,
    tones: [
      glide(1900, 2500, 0, 0.2, 0.44),
      glide(2500, 2050, 0.26, 0.24, 0.44),
      glide(2100, 2700, 0.56, 0.3, 0.46),
      glide(1700, 2200, 1.5, 0.22, 0.36),
      glide(2200, 1800, 1.78, 0.34, 0.38),
    ],
    partials: [
      [1, 1, 1],
      [2, 0.06, 0.8],
    ],
    attack: 0.05,
  },
  // Water that drips into water.
  drops: {
    seconds: 3.6,
    tones: [
      glide(520, 900, 0, 0.34, 0.6),
      glide(660, 1180, 0.7, 0.3, 0.52),
      glide(430, 760, 1.25, 0.4, 0.6),
      glide(590, 1040, 2.1, 0.32, 0.5),
    ],
    partials: [
      [1, 1, 1],
      [2, 0.12, 0.6],
    ],
    attack: 0.014,
  },
  // Wooden bars, struck softly: they ring short, and two octaves above themselves.
  marimba: {
    seconds: 3.6,
    tones: [
      ...row([261.63, 329.63, 392], 0.3, 1.1, 0.55),
      ...row([523.25, 392, 440], 0.3, 1.2, 0.5, 1.05),
    ],
    partials: [
      [1, 1, 1],
      [3.93, 0.2, 0.3],
      [9.2, 0.04, 0.12],
    ],
    attack: 0.006,
  },
  // One low chord that breathes.
  calm: {
    seconds: 6,
    tones: [
      { hz: 220, at: 0, seconds: 5.4, gain: 0.4 },
      { hz: 277.18, at: 0.5, seconds: 4.8, gain: 0.3 },
      { hz: 329.63, at: 1, seconds: 4.2, gain: 0.28 },
    ],
    partials: [
      [1, 1, 1],
      [2, 0.14, 0.9],
    ],
    attack: 1.1,
  },
};
