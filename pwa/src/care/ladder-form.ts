/** A ladder while somebody writes it: what is wrong with it, in the server's words, and the name that it is kept under.
 *  Pure but for the browser's SHA-1, which names need. */
import type { Criticality } from '../plan/model';
import type { Matter, Step } from './ladder';

export const MOST_STEPS = 8;
/** Half a day each way, in minutes. */
export const FURTHEST = 12 * 60;

export type StepProblemCode = 'step_after' | 'step_order' | 'step_by' | 'step_alone';

export interface StepProblem {
  /** Which step, from 0. */
  at: number;
  code: StepProblemCode;
}

/** What the server would refuse (docs/records.md, ladder), in the order of the steps. */
export function stepProblems(steps: readonly Step[]): StepProblem[] {
  const problems: StepProblem[] = [];
  for (const [at, { after, by }] of steps.entries()) {
    const before = steps[at - 1]?.after ?? -Infinity;
    if (!Number.isInteger(after) || Math.abs(after) > FURTHEST)
      problems.push({ at, code: 'step_after' });
    else if (after <= before) problems.push({ at, code: 'step_order' });
    if (by?.length === 0) problems.push({ at, code: 'step_by' });
  }
  if (steps.every(({ tell }) => tell === 'primary' || typeof tell === 'object'))
    problems.push({ at: steps.length - 1, code: 'step_alone' });
  return problems;
}

/** One more step after the last: everybody, a quarter later, as far as there is room. */
export function withStep(steps: readonly Step[]): Step[] {
  const last = steps.at(-1)?.after ?? 0;
  return [...steps, { tell: 'all', after: Math.min(last + 15, FURTHEST) }];
}

export function sameSteps(a: readonly Step[], b: readonly Step[]): boolean {
  return JSON.stringify(a.map(written)) === JSON.stringify(b.map(written));
}

export function sameMatter(a: Matter, b: Matter): boolean {
  return a.category === b.category && a.criticality === b.criticality;
}

/** `meal/critical`, `all/all`: as it stands in an address. */
export function matterPath({ category, criticality }: Matter): string {
  return `${category ?? 'all'}/${criticality ?? 'all'}`;
}

const LEVELS: readonly Criticality[] = ['normal', 'important', 'critical'];

/** What an address says; a word that is none of ours is every one. */
export function matterOf(category: string, criticality: string): Matter {
  return {
    category: /^[a-z_]{1,32}$/.test(category) && category !== 'all' ? category : null,
    criticality: LEVELS.find((each) => each === criticality) ?? null,
  };
}

/** A step as records and the API have it. */
export function written({ tell, after, by }: Step): Step {
  return { tell, after, ...(by !== undefined && { by }) };
}

/** MOS, the namespace of names (docs/records.md). */
const NAMESPACE = '0193b3a06d6f700080006d6f736d6f73';

/** The record id of a resident's ladder: its name. */
export async function ladderId(space: string, { category, criticality }: Matter): Promise<string> {
  const name = new TextEncoder().encode(`${space}/ladder/${category ?? '*'}/${criticality ?? '*'}`);
  const bytes = new Uint8Array(16 + name.length);
  for (let i = 0; i < 16; i++) bytes[i] = parseInt(NAMESPACE.slice(i * 2, i * 2 + 2), 16);
  bytes.set(name, 16);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-1', bytes)).slice(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return [...hash]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
