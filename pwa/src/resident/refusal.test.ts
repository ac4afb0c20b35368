import { describe, expect, it } from 'vitest';

import type { Help } from './help';
import { fateOf, NOTHING } from './refusal';
import { at } from './testing';

const call = (changes: Partial<Help> = {}): Help => ({
  rec: 'h1',
  occ: null,
  at: at('12:00'),
  why: 'help',
  pending: true,
  ...changes,
});
const waiting = fateOf(NOTHING, [call()], ['h1']);

describe('a call for help', () => {
  it('that the server refused is gone, and nobody was told', () => {
    expect(fateOf(waiting, [], []).refused).toBe(true);
  });

  it('that arrived was not refused, also when it is over', () => {
    expect(fateOf(waiting, [call({ pending: false })], ['h1']).refused).toBe(false);
  });

  it('that was taken back before it got out was not refused', () => {
    const back = fateOf(waiting, [], ['h1']);
    expect(fateOf(back, [], []).refused).toBe(false);
  });

  it('stays refused until there is a new one', () => {
    const refused = fateOf(fateOf(waiting, [], []), [], []);
    expect(refused.refused).toBe(true);
    expect(fateOf(refused, [call({ rec: 'h2' })], ['h2']).refused).toBe(false);
  });
});
