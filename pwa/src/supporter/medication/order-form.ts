/** An order as it is filled in, and the order that it becomes. Pure; what is wrong is said by medication/order.ts. */
import type { AsNeededOrder, Order, OrderProblem, Route, Task } from '../../medication/order';
import { doseText, intervalMinutes, orderProblems } from '../../medication/order';
import type { Json } from '../../offline/model';
import type { Day, Rule } from '../../plan/model';
import { DAYS } from '../../plan/time';
import { tidyClock } from '../../ui/clock-text';

export interface OrderForm {
  drug: string;
  strength: string;
  form: string;
  /** As it is typed: a comma is as good as a point. */
  dose: string;
  unit: string;
  route: Route;
  kind: Order['kind'];
  days: Day[];
  times: string[];
  everyWeeks: number;
  /** A rule that has no boxes here, kept as it is until somebody chooses days and times. */
  kept: Rule | null;
  whyNeeded: string;
  /** Numbers as they are typed. */
  hours: string;
  minutes: string;
  most: string;
  followUp: string;
  window: string;
  from: string;
  until: string;
  prescriber: string;
  text: string;
  double: boolean;
  critical: boolean;
  /** Empty: none is asked for. */
  delegation: Task | '';
  zone: string;
}

export function blankOrder({ zone, date }: { zone: string; date: string }): OrderForm {
  return {
    ...{ drug: '', strength: '', form: '', dose: '1', unit: '', route: 'oral', kind: 'times' },
    ...{ days: [...DAYS], times: ['08:00'], everyWeeks: 1, kept: null },
    ...{ whyNeeded: '', hours: '4', minutes: '0', most: '4', followUp: '60', window: '' },
    ...{ from: date, until: '', prescriber: '', text: '', double: false, critical: false },
    ...{ delegation: '', zone },
  };
}

/** The form of an order, with decimals as `language` writes them. */
export function formOfOrder(
  v: Order,
  { language, ...base }: { zone: string; date: string; language: string },
): OrderForm {
  const dose = doseText({ dose: v.dose }, language);
  const common = {
    ...blankOrder(base),
    ...{ drug: v.drug, strength: v.strength, form: v.form, dose, unit: v.unit },
    ...{ route: v.route, kind: v.kind, from: v.from, until: v.until ?? '' },
    ...{ prescriber: v.prescriber, text: v.text, double: v.double, critical: v.critical },
    delegation: v.delegation ?? ('' as const),
    window: v.window === null ? '' : String(v.window),
  };
  return v.kind === 'times' ? { ...common, ...whenOf(v.rule) } : { ...common, ...neededOf(v) };
}

function whenOf(rule: Rule): Partial<OrderForm> {
  if (rule.kind !== 'weekly' || rule.except || rule.except_at || rule.pause)
    return { kept: rule, zone: rule.zone };
  return {
    ...{
      days: [...rule.days],
      times: [...rule.times],
      everyWeeks: rule.every ?? 1,
      zone: rule.zone,
    },
  };
}

function neededOf(v: AsNeededOrder): Partial<OrderForm> {
  const minutes = intervalMinutes(v.min_interval) ?? 0;
  return {
    whyNeeded: v.why_needed,
    hours: String(Math.floor(minutes / 60)),
    minutes: String(minutes % 60),
    most: String(v.max_24h),
    followUp: v.follow_up === null ? '' : String(v.follow_up),
  };
}

/** The value that the form says. `before`: the version it was made from, whose first day "every other week" counts from. */
export function orderOf(form: OrderForm, before: Order | null): Record<string, Json> {
  return {
    drug: form.drug.trim(),
    strength: form.strength.trim(),
    form: form.form.trim(),
    dose: form.dose.trim().replace(',', '.'),
    unit: form.unit.trim(),
    route: form.route,
    kind: form.kind,
    from: form.from,
    until: form.until === '' ? null : form.until,
    prescriber: form.prescriber.trim(),
    // The prescriber's words, verbatim.
    text: form.text,
    double: form.double,
    critical: form.critical,
    window: numberOf(form.window),
    stopped: before?.stopped ?? null,
    // An order of before says nothing of it, and is not changed by that.
    ...((form.delegation !== '' || before?.delegation !== undefined) && {
      delegation: form.delegation === '' ? null : form.delegation,
    }),
    ...(form.kind === 'times'
      ? { rule: ruleOf(form, before) as unknown as Json }
      : {
          why_needed: form.whyNeeded.trim(),
          min_interval: `PT${form.hours.trim() || '0'}H${form.minutes.trim() || '0'}M`,
          max_24h: numberOf(form.most),
          follow_up: numberOf(form.followUp),
        }),
  };
}

function ruleOf(form: OrderForm, before: Order | null): Rule {
  if (form.kept !== null) return form.kept;
  const rule = before?.kind === 'times' ? before.rule : null;
  const counted = rule !== null && rule.kind === 'weekly' ? rule.start : form.from;
  return {
    kind: 'weekly',
    zone: form.zone,
    days: DAYS.filter((day) => form.days.includes(day)),
    times: [...new Set(form.times.map(tidyClock))].sort(),
    ...(form.everyWeeks > 1 && { every: form.everyWeeks }),
    start: counted < form.from ? form.from : counted,
  };
}

/** A whole number, null for none; what is no number stays to be refused. */
function numberOf(typed: string): number | string | null {
  const trimmed = typed.trim();
  if (trimmed === '') return null;
  return /^\d+$/.test(trimmed) ? Number(trimmed) : trimmed;
}

export type OrderField =
  | 'drug'
  | 'strength'
  | 'form'
  | 'dose'
  | 'unit'
  | 'days'
  | 'times'
  | 'why_needed'
  | 'min_interval'
  | 'max_24h'
  | 'follow_up'
  | 'from'
  | 'until'
  | 'prescriber'
  | 'text'
  | 'window';

/** What stands in the way of saving, by the form's field, in the order of the form. */
export function problemsOfOrder(
  form: OrderForm,
  before: Order | null,
): Partial<Record<OrderField, OrderProblem>> {
  const found: Partial<Record<OrderField, OrderProblem>> = {};
  for (const [field, code] of Object.entries(orderProblems(orderOf(form, before)))) {
    const at = placeOf(field);
    found[at] ??= code;
  }
  const times = form.times.map(tidyClock);
  if (form.kind === 'times' && form.kept === null && new Set(times).size < times.length)
    found.times ??= 'unknown';
  return found;
}

function placeOf(field: string): OrderField {
  if (field === 'rule.days') return 'days';
  if (field === 'rule.start' || field === 'rule.at' || field === 'rule.end') return 'from';
  if (field.startsWith('rule')) return 'times';
  return field as OrderField;
}
