import { describe, expect, it } from 'vitest';

import cases from '../../../spec/vectors/order.json';
import type { Row } from '../offline/model';
import type { Rule } from '../plan/model';
import { occurrences } from '../plan/recurrence';
import { doubled, givenTwice, limitsOf, nextDose, type Limits } from './doses';
import { orderProblems, planOf } from './order';
import { planned } from './planned';

type Doc = Record<string, unknown>;
interface Case {
  name: string;
  ask: string;
  v: Doc;
  problems: Record<string, string>;
  doc: Doc;
  plan: Doc | null;
  from: string;
  to: string;
  rings: [string, string][];
  given: string[];
  now: string;
  may: boolean;
  at: string;
  left: number;
  is_last: boolean;
  doubled: string[];
}
const vectors = cases as unknown as Case[];
const of = (ask: string) => vectors.filter((vector) => vector.ask === ask);

describe('an order', () => {
  it.each(of('problems'))('has one error for each field at fault: $name', ({ v, problems }) => {
    expect(orderProblems(v)).toEqual(problems);
  });

  it.each(of('plan'))('plans what its active version says: $name', ({ doc, plan }) => {
    if (plan === null) expect(planOf(doc)).toBeNull();
    else expect(planOf(doc)).toMatchObject(plan);
  });

  it.each(of('rings'))('rings when a reminder would: $name', ({ v, from, to, rings }) => {
    const rule = planOf({ active: { v } })?.rule as Rule;
    const found = occurrences(rule, Date.parse(from), Date.parse(to));
    expect(found).toEqual(rings.map(([local, at]) => ({ local, at: Date.parse(at) })));
  });
});

describe('what a medicine says at its time', () => {
  const daily = { kind: 'weekly', zone: 'Europe/Stockholm', days: ['mon'], times: ['08:00'] };
  const noteOf = (v: Doc, language = 'sv'): string | undefined => {
    const order = { drug: 'Waran', kind: 'times', rule: { ...daily, start: '2026-03-02' }, ...v };
    const doc = { active: { ver: 'v1', v: order } } as unknown as Row['doc'];
    const row = { coll: 'order', rec: 'o1', seq: 1, doc, pending: false };
    return planned([row], 'space', language)[0]?.note;
  };

  it('is the dose with the decimals of who reads, then the words of the prescriber', () => {
    const v = { strength: '2,5 mg', dose: '0.5', unit: 'tablett', text: 'Med vatten. Före 8.30.' };
    expect(noteOf(v)).toBe('0,5 tablett. Med vatten. Före 8.30.');
    expect([noteOf(v, 'fi'), noteOf(v, 'en')]).toEqual([
      '0,5 tablett. Med vatten. Före 8.30.',
      '0.5 tablett. Med vatten. Före 8.30.',
    ]);
  });

  it('is no dose that the strength has said already', () => {
    expect(noteOf({ strength: '2,5 mg', dose: '2.5', unit: 'mg' })).toBe('');
    expect(noteOf({ strength: '2,5mg', dose: '2.5', unit: 'mg', text: 'Till kvällen' })).toBe(
      'Till kvällen',
    );
    expect(noteOf({ strength: '2,5 mg', dose: '5', unit: 'mg' })).toBe('5 mg');
    expect(noteOf({ strength: '', dose: '5', unit: 'mg' })).toBe('5 mg');
  });
});

describe('a dose', () => {
  it.each(of('next'))('as needed is in time, or says from when: $name', (vector) => {
    const limits = limitsOf(vector.v) as Limits;
    expect(nextDose(limits, vector.given.map(Date.parse), Date.parse(vector.now))).toEqual({
      may: vector.may,
      at: Date.parse(vector.at),
      left: vector.left,
      isLast: vector.is_last,
    });
  });

  it.each(of('doubled'))(
    'too soon or one too many is found: $name',
    ({ v, given, doubled: found }) => {
      const doses = given.map((occ) => ({ at: Date.parse(occ), occ }));
      expect(doubled(limitsOf(v) as Limits, doses)).toEqual(found);
      expect(doubled(limitsOf(v) as Limits, doses.reverse())).toEqual(found);
    },
  );

  it('by the clock that two people gave was given twice', () => {
    expect(givenTwice(['a@1', 'b@1', 'a@1', 'a@2'])).toEqual(new Set(['a@1']));
  });
});
