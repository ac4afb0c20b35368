/** Computes the contrast of every pair of colours that people read, from tokens.css itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { WEEKDAYS } from '../src/ui/weekday.ts';

type Theme = 'light' | 'dark' | 'night';
const css = readFileSync(join(import.meta.dirname, '../src/ui/tokens.css'), 'utf8');

/** The declarations of one rule, e.g. `[data-day='mon']`. */
function block(selector: string): Map<string, string> {
  const start = css.indexOf(`${selector} {`);
  if (start < 0) throw new Error(`no rule ${selector}`);
  const body = css.slice(css.indexOf('{', start) + 1, css.indexOf('}', start));
  return new Map(
    [...body.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

function colour(name: string, theme: Theme, day = 'fri'): string {
  const places = [
    ...(theme === 'night' ? [block("[data-theme='night']")] : []),
    block(`[data-day='${day}']`),
    block('[data-day]'),
    block(':root'),
  ];
  const value = places.map((place) => place.get(name)).find((each) => each !== undefined);
  if (value === undefined) throw new Error(`no colour ${name}`);
  const both = /^light-dark\((.+?),\s*(.+)\)$/.exec(value);
  const picked = both ? (theme === 'light' ? both[1] : both[2]) : value;
  const reference = /^var\(--([\w-]+)\)$/.exec(picked ?? '');
  return reference ? colour(reference[1] ?? '', theme, day) : (picked ?? '');
}

/** WCAG 2 relative luminance. */
function luminance(hex: string): number {
  const channel = (at: number): number => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  if (!/^#[0-9a-f]{6}$/i.test(hex)) throw new Error(`not a plain colour: ${hex}`);
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(one: string, two: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(two)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function reads(theme: Theme, on: string, text: string, least: number, day?: string): void {
  const ratio = contrast(colour(on, theme, day), colour(text, theme, day));
  const what = `--${text} on --${on}, ${theme}${day ? `, ${day}` : ''}`;
  expect(ratio, what).toBeGreaterThanOrEqual(least);
}

const FAMILIES = ['meal', 'sleep', 'rest', 'med', 'act', 'care'] as const;
const DAYLIGHT = ['light', 'dark'] as const;

describe.each(DAYLIGHT)('%s', (theme) => {
  it('lets residents read everything at 7:1, on every ground they meet', () => {
    for (const ground of ['surface', 'sunken', 'paper', 'late-soft', 'ok-soft']) {
      reads(theme, ground, 'ink', 7);
      reads(theme, ground, 'ink2', 7);
    }
    for (const day of WEEKDAYS) {
      reads(theme, 'cloth', 'ink', 7, day);
      reads(theme, 'cloth', 'ink2', 7, day);
      reads(theme, 'tab', 'tab-ink', 7, day);
    }
    for (const family of FAMILIES) {
      reads(theme, `${family}-soft`, 'ink', 7);
      reads(theme, `${family}-soft`, 'ink2', 7);
    }
    reads(theme, 'action', 'action-ink', 7);
    reads(theme, 'plate', 'ink', 7);
    reads(theme, 'plate', 'numeral', 7);
    reads(theme, 'ink', 'surface', 7);
  });

  it('lets staff read everything at 4.5:1', () => {
    for (const ground of ['surface', 'sunken', 'paper']) reads(theme, ground, 'ink3', 4.5);
    for (const family of FAMILIES) reads(theme, `${family}-soft`, `${family}-ink`, 4.5);
    for (const status of ['ok', 'late', 'miss', 'silent', 'pause', 'info']) {
      reads(theme, `${status}-soft`, status, 4.5);
      reads(theme, 'surface', status, 4.5);
    }
    for (const day of WEEKDAYS) reads(theme, 'day', 'day-ink', 4.5, day);
    reads(theme, 'surface', 'action', 4.5);
  });

  it('makes every shape that means something stand out at 3:1', () => {
    for (const ground of ['surface', 'sunken', 'paper']) {
      reads(theme, ground, 'edge', 3);
      reads(theme, ground, 'focus', 3);
    }
    for (const day of WEEKDAYS) {
      for (const shape of ['dot-day', 'dot-night', 'edge', 'focus'])
        reads(theme, 'cloth', shape, 3, day);
    }
    for (const family of FAMILIES) {
      reads(theme, 'plate', family, 3);
      for (const part of ['morning', 'day', 'evening', 'night'])
        reads(theme, `tint-${part}`, family, 3);
    }
    for (const fill of ['late-fill', 'miss-fill', 'silent-fill']) reads(theme, 'surface', fill, 3);
  });
});

describe('by day', () => {
  it('gives white and yellow an edge that can be seen', () => {
    for (const day of ['wed', 'fri']) {
      reads('light', 'cloth', 'day-edge', 4.4, day);
      reads('light', 'plate', 'day-edge', 4.4, day);
    }
  });
});

describe('at night', () => {
  it('reads at 7:1 in amber on almost black', () => {
    for (const ground of ['n-bg', 'n-plate', 'n-button']) {
      reads('night', ground, 'n-amber', 7);
      reads('night', ground, 'n-soft', 7);
    }
    reads('night', 'surface', 'ink', 7);
    reads('night', 'surface', 'ink2', 7);
    reads('night', 'action', 'action-ink', 7);
    reads('night', 'n-plate', 'n-dim', 4.5);
    reads('night', 'n-plate', 'n-arc', 3);
  });

  it('shows neither blue nor white', () => {
    const night = [...block("[data-theme='night']").values(), ...block(':root').entries()]
      .map((each) => (typeof each === 'string' ? each : each[0].startsWith('n-') ? each[1] : ''))
      .filter((value) => /^#[0-9a-f]{6}$/i.test(value));
    for (const hex of night) {
      const [red, , blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
      expect(blue, hex).toBeLessThanOrEqual((red ?? 0) * 0.7);
    }
  });
});
