import { expect, it } from 'vitest';

import cases from '../../../spec/vectors/delegation.json';
import { lack, type Held } from './delegation';

interface Case {
  name: string;
  policy: string;
  role: string;
  signs: boolean;
  task: string | null;
  held: Held[];
  at: string;
  lack: string | null;
}

it.each(cases as Case[])('who may give a dose: $name', ({ at, lack: expected, ...giving }) => {
  expect(lack({ ...giving, at: Date.parse(at) })).toBe(expected);
});
