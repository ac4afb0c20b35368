import { expect, it } from 'vitest';

import { steady } from './steady';

it('takes two presses in a moment for one', () => {
  let now = 0;
  const done: string[] = [];
  const press = steady(() => now);

  press(() => done.push('Blodtrycksmedicin'));
  now = 300;
  press(() => done.push('Insulin'));
  now = 1000;
  press(() => done.push('Insulin'));

  expect(done).toEqual(['Blodtrycksmedicin', 'Insulin']);
});
