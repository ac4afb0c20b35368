/** Orders, allergies and textures in words: whole for a list, field by field for comparing. Texts are the catalogue's. */
import { has, language, t, type Key } from '../../app/i18n.svelte';
import { mos, nameOf } from '../../app/mos.svelte';
import { doseText, intervalMinutes, type Order } from '../../medication/order';
import type { Json } from '../../offline/model';
import type { Rule } from '../../plan/model';
import { dateWords, lengthWords, ruleWords } from '../words';
import type { Confirmed } from './conflict';

type Fields = Readonly<Record<string, Json>>;

/** One field of a value, ready to be compared. */
export interface Line {
  key: string;
  label: string;
  text: string;
}

/** `Metoprolol 50 mg`. */
export function orderTitle({ drug, strength }: Pick<Order, 'drug' | 'strength'>): string {
  return `${drug} ${strength}`.trim();
}

/** `0,5 tablett`, as the language writes decimals. */
export function doseWords(order: Pick<Order, 'dose' | 'unit'>): string {
  return doseText(order, language());
}

/** When it is given, in one line. */
export function orderWhen(v: Order, today: string): string {
  if (v.kind === 'as_needed') {
    return t('supporter.med.as_needed_line', {
      length: lengthWords(intervalMinutes(v.min_interval) ?? 0),
      count: v.max_24h,
    });
  }
  return whenOf(v.rule, today);
}

/** When a rule comes, with its one time, in one line. */
export function whenOf(rule: Rule, today: string): string {
  const words = ruleWords({ ...rule, start: today } as Rule, today);
  const times =
    rule.kind === 'once' ? [rule.at.slice(11, 16)] : rule.kind === 'interval' ? [] : rule.times;
  return times.length === 1 ? `${words} ${times[0] ?? ''}` : words;
}

/** A person by name, `you` for whoever reads. */
export function personWords(account: string | null): string {
  if (account !== null && account === mos.session?.account.id) return t('supporter.unsaved.you');
  return nameOf(account) ?? t('supporter.unsaved.somebody');
}

/** Every field of a value in words, in the order of reading. The same keys for every version of a record. */
export function linesOf(coll: Confirmed, v: Fields, today: string): Line[] {
  switch (coll) {
    case 'order':
      return linesOfOrder(v, today);
    case 'allergy_lowering':
      return [
        line('substance', substanceWords(v)),
        line('to', severityWords(text(v['to']))),
        line('why', text(v['why'])),
      ];
    case 'texture':
      return [
        line('food', foodWords(v['food'])),
        line('drink', typeof v['drink'] === 'number' ? iddsi(v['drink']) : none()),
        line('source', text(v['source'])),
        line('why', text(v['why'])),
      ];
  }
}

function linesOfOrder(v: Fields, today: string): Line[] {
  const order = v as unknown as Order;
  const stopped = order.stopped ?? null;
  const lines = [
    line(
      'stopped',
      stopped === null
        ? t('supporter.med.goes_on')
        : t('supporter.med.stop_line', { why: stopped.why }),
    ),
    line('drug', orderTitle(order)),
    line('form', order.form),
    line('dose', doseWords(order)),
    line('route', routeWords(order.route)),
    line(
      'when',
      safely(() => orderWhen(order, today)),
    ),
    line('needed', order.kind === 'as_needed' ? order.why_needed : ''),
    line(
      'follow_up',
      order.kind === 'as_needed' && order.follow_up !== null ? lengthWords(order.follow_up) : '',
    ),
    line('from', order.from ? dateWords(order.from, today) : ''),
    line('until', order.until === null ? t('supporter.pause.open') : dateWords(order.until, today)),
    line('prescriber', order.prescriber),
    line('text', order.text),
    ...(order.delegation === undefined || order.delegation === null
      ? [line('delegation', t('supporter.med.delegation.none'))]
      : [line('delegation', taskWords(order.delegation))]),
    line('double', t(order.double ? 'supporter.med.yes' : 'supporter.med.no')),
    line('critical', t(order.critical ? 'supporter.med.yes' : 'supporter.med.no')),
    line('window', order.window === null ? t('supporter.grace.usual') : lengthWords(order.window)),
  ];
  return lines;
}

/** A rule of a newer release is shown as something, never in the way of choosing. */
function safely(words: () => string): string {
  try {
    return words();
  } catch {
    return t('supporter.med.unreadable');
  }
}

function line(key: string, value: string): Line {
  return { key, label: t(`supporter.med.field.${key}` as 'supporter.med.field.drug'), text: value };
}

/** A medical task that is delegated; one that this release does not know is its own. */
export function taskWords(task: string): string {
  const key = `supporter.med.task.${task}`;
  return has(key) ? t(key) : task;
}

export function routeWords(route: string): string {
  const key = `supporter.med.route.${route === 'other' ? 'another' : route}`;
  return has(key) ? t(key) : route;
}

/** What an allergy is of: a person's own word, or the name of one of the listed substances. */
export function substanceWords(v: Fields): string {
  const name = `supporter.allergen.${text(v['key'])}`;
  return (
    text(v['word']) || (has(name) ? t(name) : text(v['key']).toLowerCase().replaceAll('_', ' '))
  );
}

export function severityWords(severity: string): string {
  const key = `supporter.med.severity.${severity || 'none'}`;
  return has(key) ? t(key) : severity;
}

function foodWords(food: Json | undefined): string {
  const level = typeof food === 'object' && food !== null && 'level' in food ? food['level'] : null;
  return typeof level === 'number' ? iddsi(level) : none();
}

function iddsi(level: number): string {
  return t('supporter.med.iddsi', { level });
}

function none(): string {
  return t('supporter.med.ordinary');
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** What a conflict is about, for titles: the medicine's name alone, for its strength may be what differs; else what kind of thing it is. */
export function aboutWords(coll: Confirmed, v: Fields | undefined): string {
  if (coll === 'order' && v !== undefined) return text(v['drug']);
  if (coll === 'allergy_lowering' && v !== undefined) return substanceWords(v);
  return t(`supporter.unsaved.what.${coll}` as Key, { title: '' });
}
