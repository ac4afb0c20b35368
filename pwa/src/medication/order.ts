/** An order of medicine as its record holds it (docs/records.md): what is wrong with one, and what it plans. Pure.
 *  The server judges alike: spec/vectors/order.json.
 */
import type { Criticality, Rule } from '../plan/model';
import { checkRule } from '../plan/recurrence';
import { isDate, minuteOf } from '../plan/time';

export const ROUTES = [
  'oral',
  'sublingual',
  'inhaled',
  'nasal',
  'eye',
  'ear',
  'skin',
  'patch',
  'rectal',
  'vaginal',
  'injection',
  'tube',
  'other',
] as const;
export type Route = (typeof ROUTES)[number];

/** What an order can ask a delegation of, of whoever gives it without a licence. */
export const TASKS = [
  'medicine',
  'insulin',
  'injection',
  'drops',
  'inhalation',
  'skin',
  'suppository',
  'tube',
] as const;
export type Task = (typeof TASKS)[number];

interface Every {
  drug: string;
  strength: string;
  form: string;
  /** Decimal text, never a number: what was ordered is what is shown. */
  dose: string;
  unit: string;
  route: Route;
  from: string;
  until: string | null;
  prescriber: string;
  text: string;
  double: boolean;
  critical: boolean;
  window: number | null;
  stopped: { at: string; why: string } | null;
  /** Which delegation it asks for; absent or null: none. */
  delegation?: Task | null;
}
export type TimesOrder = Every & { kind: 'times'; rule: Rule };
export type AsNeededOrder = Every & {
  kind: 'as_needed';
  why_needed: string;
  min_interval: string;
  max_24h: number;
  follow_up: number | null;
};
export type Order = TimesOrder | AsNeededOrder;

export type OrderProblem =
  | 'missing'
  | 'malformed'
  | 'unknown'
  | 'empty'
  | 'too_long'
  | 'out_of_range'
  | 'backwards'
  // A rule's own.
  | 'too_many'
  | 'not_supported';

// ───────────────────────────────────────────────────────────── what may be written

type Check = (value: unknown) => string | null;

/** What is wrong with an order's value: a code for each field at fault, in their order. */
export function orderProblems(value: unknown): Record<string, OrderProblem> {
  if (!isObject(value)) return { '': 'malformed' };
  const checks: Record<string, Check> = { ...EVERY, ...OF_KIND[String(value['kind'])] };
  const found: Record<string, string> = {};
  for (const [field, check] of Object.entries(checks)) {
    const code = field in value ? check(value[field]) : 'missing';
    if (code === null) continue;
    const [where, what] = code.includes(' ') ? code.split(' ') : ['', code];
    found[where ? `${field}.${where}` : field] = what as string;
  }
  for (const [field, check] of Object.entries(MAY_BE)) {
    const code = field in value ? check(value[field]) : null;
    if (code !== null) found[field] = code;
  }
  for (const field of Object.keys(value).sort())
    if (!(field in checks) && !(field in MAY_BE)) found[field.slice(0, 40)] = 'unknown';
  return { ...found, ...atOdds(value, found) } as Record<string, OrderProblem>;
}

/** What only two fields together can get wrong. */
function atOdds(value: Record<string, unknown>, found: Record<string, string>) {
  const odds: Record<string, string> = {};
  const { from, until, rule } = value as unknown as TimesOrder;
  if ('from' in found) return odds;
  if (!('until' in found) && typeof until === 'string' && until < from) odds['until'] = 'backwards';
  if (value['kind'] === 'times' && !Object.keys(found).some((field) => /^rule(\.|$)/.test(field))) {
    // Otherwise what "every other week" counts from would move with the order.
    if (firstDay(rule) < from) odds[rule.kind === 'once' ? 'rule.at' : 'rule.start'] = 'backwards';
  }
  return odds;
}

function firstDay(rule: Rule): string {
  return rule.kind === 'once' ? rule.at.slice(0, 10) : rule.start;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same few characters as on the server, and letters are counted, not their halves. */
function text(least: number, most: number): Check {
  return (value) => {
    if (typeof value !== 'string') return 'malformed';
    if (least > 0 && /^[ \t\r\n\u00a0]*$/.test(value)) return 'empty';
    return Array.from(value).length > most ? 'too_long' : null;
  };
}

function whole(least: number, most: number): Check {
  return (value) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) return 'malformed';
    return value < least || value > most ? 'out_of_range' : null;
  };
}

function orNull(check: Check): Check {
  return (value) => (value === null ? null : check(value));
}

function oneOf(words: readonly string[]): Check {
  return (value) => {
    if (typeof value !== 'string') return 'malformed';
    return words.includes(value) ? null : 'unknown';
  };
}

const yesOrNo: Check = (value) => (typeof value === 'boolean' ? null : 'malformed');

const dose: Check = (value) => {
  if (typeof value !== 'string' || !/^(0|[1-9][0-9]{0,6})(\.[0-9]{1,4})?$/.test(value))
    return 'malformed';
  return /[1-9]/.test(value) ? null : 'out_of_range';
};

const day: Check = (value) =>
  typeof value === 'string' && value >= '1900-01-01' && isDate(value) ? null : 'malformed';

const interval: Check = (value) => {
  const minutes = intervalMinutes(value);
  if (minutes === null) return 'malformed';
  return minutes > 0 && minutes <= 7 * 24 * 60 ? null : 'out_of_range';
};

/** The minutes of `PT4H30M`, or null for what is no such time. */
export function intervalMinutes(value: unknown): number | null {
  const found =
    typeof value === 'string' ? /^PT(?:([0-9]{1,3})H)?(?:([0-9]{1,5})M)?$/.exec(value) : null;
  if (found === null || (found[1] === undefined && found[2] === undefined)) return null;
  return Number(found[1] ?? 0) * 60 + Number(found[2] ?? 0);
}

const ruleCheck: Check = (value) => {
  const problem = checkRule(value);
  if (problem === null) return null;
  return problem.field === 'rule' ? problem.code : `${problem.field} ${problem.code}`;
};

const moment: Check = (value) => {
  const found =
    typeof value === 'string'
      ? /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::(\d\d)(\.\d{1,6})?)?Z$/.exec(value)
      : null;
  if (found === null || !isDate(found[1] ?? '')) return 'malformed';
  return minuteOf(found[2] ?? '') === null || Number(found[3] ?? 0) > 59 ? 'malformed' : null;
};

const stopped: Check = (value) => {
  if (!isObject(value)) return 'malformed';
  for (const [field, check] of [['at', moment] as const, ['why', text(1, 200)] as const]) {
    const code = field in value ? check(value[field]) : 'missing';
    if (code !== null) return `${field} ${code}`;
  }
  const extra = Object.keys(value)
    .sort()
    .find((field) => field !== 'at' && field !== 'why');
  return extra === undefined ? null : `${extra.slice(0, 40)} unknown`;
};

const EVERY: Record<string, Check> = {
  drug: text(1, 120),
  strength: text(0, 60),
  form: text(0, 60),
  dose,
  unit: text(1, 30),
  route: oneOf(ROUTES),
  kind: oneOf(['times', 'as_needed']),
  from: day,
  until: orNull(day),
  prescriber: text(0, 120),
  text: text(0, 400),
  double: yesOrNo,
  critical: yesOrNo,
  window: orNull(whole(0, 1440)),
  stopped: orNull(stopped),
};
/** What an order of before does not have. */
const MAY_BE: Record<string, Check> = { delegation: orNull(oneOf(TASKS)) };
const OF_KIND: Record<string, Record<string, Check>> = {
  times: { rule: ruleCheck },
  as_needed: {
    why_needed: text(1, 200),
    min_interval: interval,
    max_24h: whole(1, 96),
    follow_up: orNull(whole(1, 1440)),
  },
};

// ───────────────────────────────────────────────────────────── what it plans

/** The groups of the reminder that rings for an order. */
export interface OrderPlan {
  title: string;
  category: 'medication';
  label: string;
  symbol: string;
  note: string;
  minutes: number;
  checkable: boolean;
  grace: number;
  criticality: Criticality;
  ring: { start: boolean; again: boolean; before: number | null };
  rule: Rule;
}

/** The value of an order that holds now; null where nothing was ever confirmed. */
export function activeOf(doc: Readonly<Record<string, unknown>>): Record<string, unknown> | null {
  const value = isObject(doc['active']) ? doc['active']['v'] : null;
  return isObject(value) ? value : null;
}

/** What an order's record plans, by its active value alone. Null: nothing is active, it was stopped, it ended before it
 *  began, it is given as needed, or its rule cannot be read. */
export function planOf(doc: Readonly<Record<string, unknown>>): OrderPlan | null {
  const v = activeOf(doc) as Partial<TimesOrder> | null;
  if (v === null || v.kind !== 'times' || (v.stopped ?? null) !== null) return null;
  if (v.rule === undefined || checkRule(v.rule) !== null) return null;
  let rule = v.rule;
  const until = v.until ?? null;
  if (until !== null) {
    if (until < firstDay(rule)) return null;
    if (rule.kind !== 'once')
      rule = { ...rule, end: rule.end !== undefined && rule.end < until ? rule.end : until };
  }
  const critical = v.critical === true;
  return {
    title: `${v.drug ?? ''} ${v.strength ?? ''}`.trim(),
    category: 'medication',
    label: '',
    symbol: 'pill',
    note: noteOf(doseText(v, 'en'), v.text),
    minutes: 0,
    checkable: true,
    grace: v.window ?? usualWindow(rule, critical),
    criticality: critical ? 'critical' : 'important',
    ring: { start: true, again: true, before: null },
    rule,
  };
}

/** `2,5 mg`, as a language writes decimals; the digits are the order's own. */
export function doseText({ dose = '', unit = '' }: Partial<Every>, language: string): string {
  return spoken(`${dose} ${unit}`.trim(), language);
}

/** `1.5 tablett` as a language writes it. */
export function spoken(amount: string, language: string): string {
  return language === 'en' ? amount : amount.replace(/^(\d+)\./, '$1,');
}

/** What stands under a medicine's name at its time: how much, and the prescriber's words. A dose that the strength in the
 *  name has said is not said again. */
export function noteIn(doc: Readonly<Record<string, unknown>>, language: string): string {
  const v = (activeOf(doc) ?? {}) as Partial<Every>;
  const said = sameAmount(v.strength ?? '', doseText(v, 'en'));
  return noteOf(said ? '' : doseText(v, language), v.text);
}

function noteOf(amount: string, text = ''): string {
  return [amount, text].filter((part) => part !== '').join('. ');
}

function sameAmount(a: string, b: string): boolean {
  const plain = (amount: string): string =>
    amount.replaceAll(/\s/gu, '').replace(',', '.').toLowerCase();
  return plain(a) === plain(b);
}

const DAY_MINUTES = 24 * 60;

/** How many minutes late a dose may be where the order does not say. */
export function usualWindow(rule: Rule, critical: boolean): number {
  if (critical) return 30;
  const between = minutesBetween(rule);
  if (between >= DAY_MINUTES) return 120;
  return between >= 240 ? 60 : Math.max(Math.floor(between / 4), 1);
}

/** The shortest time between two doses by the clock, in minutes; a day at the most. */
function minutesBetween(rule: Rule): number {
  if (rule.kind === 'once') return DAY_MINUTES;
  if (rule.kind === 'interval')
    return rule.from === rule.to ? DAY_MINUTES : (intervalMinutes(rule.every) ?? DAY_MINUTES);
  const times = rule.times.map((time) => minuteOf(time) ?? 0);
  const minutes = [...new Set(times)].sort((a, b) => a - b);
  const [first = 0] = minutes;
  return Math.min(
    ...minutes.map((minute, index) => (minutes[index + 1] ?? first + DAY_MINUTES) - minute),
  );
}
