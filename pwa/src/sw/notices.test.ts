import { describe, expect, it } from 'vitest';

import texts from '../locales/sv/push.json';
import { noticeOf, readPayload, type Known, type Words } from './notices';

const words: Words = (key, params = {}) =>
  ((texts as Record<string, string>)[key] ?? key).replace(
    /\{(\w+)\}/g,
    (_, name: string) => params[name] ?? '',
  );
const nothing: Known = { title: null, name: null, alert: null, ver: null };
const ring = { kind: 'ring', space: 's', occ: 'r@2026-11-27T08:00' } as const;
const alert = { kind: 'alert', space: 's', alert: 'a', quiet: false } as const;

describe('a push message', () => {
  it('of a reminder shows its title and time, and can be answered there', () => {
    const notice = noticeOf(ring, { ...nothing, title: 'Frukost' }, words);

    expect(notice).toMatchObject({ title: 'Frukost', body: 'Klockan 08:00', tag: ring.occ });
    expect(notice.actions.map(({ title }) => title)).toEqual(['Klar', 'Påminn igen']);
  });

  it('says nothing about what this device does not know', () => {
    expect(noticeOf(ring, nothing, words).title).toBe('Det är dags');
    expect(noticeOf(alert, nothing, words).title).toBe('Någon behöver dig');
  });

  it.each([
    ['late', 'Elsa: Lunch är inte klart än'],
    ['missed', 'Elsa: Lunch har missats'],
    ['help', 'Elsa vill ha hjälp'],
    ['unwilling', 'Elsa vill inte: Lunch'],
    ['silent', 'Surfplattan hos Elsa svarar inte'],
    ['conflict', 'Elsa: något väntar på ett beslut'],
    ['double', 'Elsa: något kan ha getts två gånger'],
  ])('of an alert that is %s says who and what', (kind, title) => {
    const notice = noticeOf(
      alert,
      { ...nothing, title: 'Lunch', name: 'Elsa', alert: kind },
      words,
    );

    expect(notice.title).toBe(title);
    expect(notice.actions.map(({ action }) => action)).toEqual(['take']);
  });

  it('of an alert beside another that sounds is quiet', () => {
    const sent = { kind: 'alert', space: 's', alert: 'a' };
    const quietOf = (told: object): boolean | undefined => {
      const payload = readPayload(JSON.stringify({ ...sent, ...told }));
      return payload?.kind === 'alert' ? noticeOf(payload, nothing, words).quiet : undefined;
    };

    expect(quietOf({})).toBe(false);
    expect(quietOf({ quiet: true })).toBe(true);
  });

  it.each([
    ['near', 'SMS har snart nått månadens tak', 'channels'],
    ['cap', 'SMS har nått månadens tak', 'channels'],
    ['emergency', 'Nödåtkomst har använts', 'logs'],
    ['delegation', 'En delegering är ny, återkallad eller snart slut', 'delegations'],
  ])('of what those who manage should know (%s) says so, and wakes nobody', (what, title, kind) => {
    const payload = readPayload(JSON.stringify({ kind: 'notice', what }));
    const notice = payload?.kind === 'notice' ? noticeOf(payload, nothing, words) : null;

    expect(notice).toMatchObject({ title, quiet: true, target: { kind } });
  });

  it('without content says that something waits, and leads home', () => {
    const payload = readPayload('');
    const notice = payload?.kind === 'unknown' ? noticeOf(payload, nothing, words) : null;

    expect(notice).toMatchObject({ title: 'Något väntar i MOS', target: { kind: 'home' } });
    expect(notice?.actions).toEqual([]);
  });

  it('that is not ours is passed over', () => {
    for (const text of ['hej', '{}', '{"kind":"ring","space":"s"}', '{"kind":"new","x":1}']) {
      expect(readPayload(text)).toBeNull();
    }
    expect(readPayload(JSON.stringify(ring))).toEqual(ring);
  });
});
