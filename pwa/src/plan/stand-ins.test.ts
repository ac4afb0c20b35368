import { expect, it } from 'vitest';

import cases from '../../../spec/vectors/stand_ins.json';
import { standIns } from './stand-ins';

it.each(cases)('$name', ({ planned, answered, left_out }) => {
  expect([...standIns(planned, answered)].sort()).toEqual(left_out);
});
