import { describe, expect, it } from 'vitest';

import vectors from '../../../spec/vectors/ladder.json';
import { readStep, type Matter, type Step } from './ladder';
import { ladderId, MOST_STEPS, stepProblems, withStep } from './ladder-form';

const UNIT: Step = { tell: 'unit', after: 0 };

describe('a ladder while it is written', () => {
  it.each<[string, Step[], string[]]>([
    ['is whole', [{ tell: 'primary', after: -5 }, UNIT], []],
    [
      'takes no step at the same time as the one before',
      [UNIT, { tell: 'all', after: 0 }],
      ['1 step_order'],
    ],
    ['takes no minutes that are none', [{ tell: 'unit', after: NaN }], ['0 step_after']],
    ['reaches half a day, no further', [{ tell: 'unit', after: 721 }], ['0 step_after']],
    [
      'never tells one person alone',
      [
        { tell: 'primary', after: 0 },
        { tell: { account: 'a' }, after: 5 },
      ],
      ['1 step_alone'],
    ],
    ['has a way where it names ways', [{ tell: 'unit', after: 0, by: [] }], ['0 step_by']],
    ['never tells nobody', [], ['-1 step_alone']],
  ])('%s', (_, steps, problems) => {
    expect(stepProblems(steps).map(({ at, code }) => `${String(at)} ${code}`)).toEqual(problems);
  });

  it('stays whole with each step that is added, but for the last minutes of half a day', () => {
    let steps: Step[] = [UNIT];
    while (steps.length < MOST_STEPS) steps = withStep(steps);
    expect(stepProblems(steps)).toEqual([]);
  });

  it.each(vectors.filter(({ rec }) => rec !== undefined))(
    '$name',
    async ({ space, rec, ...of }) => {
      expect(await ladderId(space ?? '', of.for as Matter)).toBe(rec);
    },
  );

  /** What a form cannot write it need not refuse: other words, other shapes, more steps. */
  const CODES = ['step_after', 'step_order', 'step_alone'];
  const written = vectors.filter(
    ({ steps, problem }) =>
      steps !== undefined &&
      (!problem || CODES.includes(problem.code)) &&
      steps.every(({ after }) => typeof after === 'number'),
  );
  it.each(written)('is judged as the server does: $name', ({ steps, problem }) => {
    const [first] = stepProblems((steps ?? []).map(readStep));
    expect(first?.code).toBe(problem?.code);
  });
});
