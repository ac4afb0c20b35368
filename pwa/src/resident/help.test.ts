import { describe, expect, it } from 'vitest';

import { helpState, isNewCall, type Called, type Help } from './help';
import { at } from './testing';

const help = (changes: Partial<Help> = {}): Help => ({
  rec: 'h1',
  occ: null,
  at: at('12:00'),
  why: 'help',
  pending: false,
  ...changes,
});
const alert = (changes: Partial<Called> = {}): Called => ({
  occ: null,
  at: at('12:00'),
  closed: false,
  taken: null,
  ...changes,
});
const online = { now: at('12:01'), online: true };

describe('help', () => {
  it('is on its way until the server has it', () => {
    const state = helpState([help({ pending: true })], [], {
      now: at('12:00') + 2000,
      online: true,
    });
    expect(state.kind).toBe('sending');
  });

  it('has not got out without a network, and that is said', () => {
    const offline = { now: at('12:00') + 1000, online: false };
    expect(helpState([help({ pending: true })], [], offline).kind).toBe('unsent');
  });

  it('has not got out when the answer takes too long, whatever the network says', () => {
    expect(helpState([help({ pending: true })], [], online).kind).toBe('unsent');
  });

  it('can be called for by whoever has just said that they do not want to', () => {
    expect(isNewCall(helpState([help()], [], online))).toBe(false);
    expect(isNewCall(helpState([help({ why: 'unwilling', pending: true })], [], online))).toBe(
      true,
    );
    expect(isNewCall(helpState([], [], online))).toBe(true);
  });

  it('is told when the server has it', () => {
    expect(helpState([help()], [alert()], online).kind).toBe('told');
  });

  it('comes when somebody has taken it', () => {
    const taken = alert({ taken: 'sara' });
    expect(helpState([help()], [taken], online)).toMatchObject({ kind: 'taken', by: 'sara' });
  });

  it('is over when the alert is closed', () => {
    const closed = alert({ closed: true });
    expect(helpState([help()], [closed], online).kind).toBe('none');
  });

  it('does not take an earlier answer for an answer to this one', () => {
    const earlier = alert({ at: at('09:00'), closed: true });
    expect(helpState([help()], [earlier], online).kind).toBe('told');
  });

  it('is none when it was taken back', () => {
    expect(helpState([], [alert()], online).kind).toBe('none');
  });
});
