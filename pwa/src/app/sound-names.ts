/** How a device calls, by name: the words of settings and records. */

/** In the order in which they are offered. The first is what an unknown one becomes, so that nothing is ever silent by mistake. */
export const SOUNDS = ['soft', 'bell', 'chimes', 'bird', 'drops', 'marimba', 'calm'] as const;
export type Sound = (typeof SOUNDS)[number] | 'none';

/** What a device does beside sounding, in ms on and off. */
export const BUZZES = {
  none: [],
  short: [400, 200, 400],
  long: [600, 300, 600, 300, 600, 300, 1200],
} as const;
export type Buzz = keyof typeof BUZZES;
