/** What an alarm says: at most six words, then what exactly, word by word as it was prescribed. */
import { t } from '../app/i18n.svelte';
import type { Item } from '../plan/model';
import { symbolOf } from './dial/plate';

export interface AlarmWords {
  title: string;
  /** Name and strength of a medicine; empty for other things. */
  what: string;
  how: string;
  answer: string;
  /** The picture on the big dish. */
  symbol: string;
  /** The picture of this very medicine, where somebody chose one. */
  own: string;
  spoken: string;
}

const MOST_WORDS = 6;
const ANY_MEDICINE: readonly string[] = ['pill', 'medication', ''];

export function alarmWords(item: Item): AlarmWords {
  const { reminder } = item;
  const medicine = item.family === 'med';
  const long = reminder.title.trim().split(/\s+/u).length > MOST_WORDS;
  const [name, how] = medicine ? medicineWords(reminder) : ['', reminder.note];
  const title = medicine
    ? t('resident.alarm.medicine')
    : long
      ? t('resident.alarm.now_is')
      : reminder.title;
  const what = long && !medicine ? reminder.title : name;
  return {
    title,
    what,
    how,
    answer: answerWords(item),
    symbol: medicine ? 'pill' : symbolOf(item),
    own: medicine && !ANY_MEDICINE.includes(reminder.symbol) ? reminder.symbol : '',
    spoken: [title, what, how].filter(Boolean).map(sentence).join(' '),
  };
}

/** An order's title names its medicine, and so does one with a strength; else the note's first sentence does, and the
 *  rest says how. */
function medicineWords({ title, note, order }: Item['reminder']): [string, string] {
  if (order !== undefined || /\d/u.test(title)) return [title, note];
  const [, first = '', rest = ''] =
    /^(.*?\S)(?:[.!]\s+|[.!]?$|\n)([\s\S]*)$/u.exec(note.trim()) ?? [];
  return [first, rest.trim().replace(/^([^.]+)\.$/u, '$1')];
}

function answerWords({ family, reminder }: Item): string {
  if (!reminder.checkable) return t('resident.alarm.ok');
  return family === 'med' ? t('resident.alarm.taken') : t('resident.done');
}

function sentence(text: string): string {
  return /[.!?]$/u.test(text) ? text : `${text}.`;
}
