import { describe, expect, it } from 'vitest';

import cases from '../../../spec/vectors/order.json';
import type { Rule } from '../plan/model';
import { occurrences } from '../plan/recurrence';
import { doubled, givenTwice, limitsOf, nextDose, type Limits } from './doses';
import { orderProblems, planOf } from './order';

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
