import { expect, it } from 'vitest';

import cases from '../../../spec/vectors/grace.json';
import { graceMinutes } from './grace';
import type { Criticality } from './model';

it.each(cases)('$name', ({ snoozed, missed, ...reminder }) => {
  const criticality = reminder.criticality as Criticality;
  expect(graceMinutes({ ...reminder, criticality }, snoozed)).toBe(missed);
});
