import { describe, expect, it } from 'vitest';

import type { Alert } from '../plan/model';
import { helpState, type Help } from './help';
import { at } from './testing';

const help = (changes: Partial<Help> = {}): Help => ({
  rec: 'h1',
  occ: null,
  at: at('12:00'),
  pending: false,
  ...changes,
});
const alert = (changes: Partial<Alert> = {}): Alert => ({
  id: 'a1',
  kind: 'help',
  occ: null,
  reminder: null,
  about: null,
  at: at('12:00'),
  step: { n: 1, of: 3, nextAt: null },
  taken: null,
  closed: null,
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

  it('is told when the server has it', () => {
    expect(helpState([help()], [alert()], online).kind).toBe('told');
  });

  it('comes when somebody has taken it', () => {
    const taken = alert({ taken: { by: 'sara', at: at('12:01'), againAt: at('12:31') } });
    expect(helpState([help()], [taken], online)).toMatchObject({ kind: 'taken', by: 'sara' });
  });

  it('is over when the alert is closed', () => {
    const closed = alert({ closed: { at: at('12:10'), why: 'by_hand' } });
    expect(helpState([help()], [closed], online).kind).toBe('none');
  });

  it('does not take an earlier answer for an answer to this one', () => {
    const earlier = alert({ at: at('09:00'), closed: { at: at('09:10'), why: 'by_hand' } });
    expect(helpState([help()], [earlier], online).kind).toBe('told');
  });

  it('is none when it was taken back', () => {
    expect(helpState([], [alert()], online).kind).toBe('none');
  });
});
