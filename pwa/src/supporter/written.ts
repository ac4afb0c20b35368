/** What somebody wrote that could not be saved, in words. Texts are the catalogue's. */
import { has, t } from '../app/i18n.svelte';
import { mos } from '../app/mos.svelte';
import { stepsWords, matterWords } from '../care/ladder-words';
import { readLadder } from '../care/ladder';
import { orderProblems } from '../medication/order';
import type { Json } from '../offline/model';
import type { ReadOutcome, Rule } from '../plan/model';
import {
  linesOf,
  personWords,
  severityWords,
  substanceWords,
  whenOf,
  type Line,
} from './medication/words';
import { valueOf, type Unsaved } from './unsaved';
import {
  categoryName,
  dateWords,
  dayAndClock,
  lengthWords,
  listWords,
  outcomeWords,
} from './words';

export interface Written {
  lines: readonly Line[];
  /** What there are no words for, as it came; null where all is said. */
  rest: Json | null;
}

/** Where and when whoever reads is: a local date and its zone. */
export interface Place {
  today: string;
  zone: string;
}

type Fields = Readonly<Record<string, Json>>;
/** A field in words. Fails, or answers null, for what it cannot read: then the value stands as it came. */
type Field = readonly [label: string, words: (value: Json) => string | null];
type Told = Readonly<Record<string, Field>>;

/** It was refused, perhaps because it is not as it should be: what cannot be read is shown as it came. */
export function writtenWords(unsaved: Unsaved, place: Place): Written {
  const { coll, what } = unsaved;
  if (!isFields(what)) return { lines: [], rest: what };
  if ('choose' in what) return said(what, CHOICE);
  const value = valueOf(what);
  if (coll === 'order' || coll === 'allergy_lowering' || coll === 'texture') {
    const readable = value !== null && (coll !== 'order' || isOrder(value));
    try {
      if (readable)
        return { lines: linesOf(coll, value, place.today).filter(({ text }) => text), rest: null };
    } catch {
      // Below.
    }
    return { lines: [], rest: what };
  }
  if (coll === 'ladder') return ladder(what, unsaved);
  const told = { ...EVENTS, ...SETS }[coll]?.(place, unsaved);
  if (told === undefined) return { lines: [], rest: what };
  return said(coll in EVENTS ? (value ?? what) : what, told);
}

/** A line for each field that there are words for, in the order of `told`; the rest as it came. */
function said(fields: Fields, told: Told): Written {
  const lines: Line[] = [];
  const done = new Set<string>();
  for (const [key, [label, words]] of Object.entries(told)) {
    const value = fields[key];
    if (value === undefined) continue;
    try {
      const text = words(value);
      if (text === null) continue;
      if (text !== '') lines.push({ key, label, text });
      done.add(key);
    } catch {
      // As it came.
    }
  }
  const rest = Object.entries(fields).filter(([key]) => !done.has(key));
  return { lines, rest: rest.length > 0 ? Object.fromEntries(rest) : null };
}

// ───────────────────────────────────────────────────────────── what happened

const EVENTS: Readonly<Record<string, (place: Place, unsaved: Unsaved) => Told>> = {
  completion: (place, unsaved) => ({
    occ: occurrence(unsaved),
    at: moment(place),
    st: [t('supporter.written.outcome'), outcome],
    note: [t('supporter.form.note'), text],
    given_by: [t('supporter.written.given_by'), text],
    ver: hidden(),
    prn: hidden(),
  }),
  retract: (place) => ({
    of: [t('supporter.written.retract'), () => t('supporter.written.retract.text')],
    at: moment(place),
  }),
  snooze: (place, unsaved) => ({
    occ: occurrence(unsaved),
    at: moment(place),
    until: moment(place, t('supporter.written.until')),
  }),
  help: (place, unsaved) => ({
    occ: occurrence(unsaved),
    why: [t('supporter.written.help'), chosen((word) => `supporter.written.help.${word}`)],
    at: moment(place),
  }),
  rang: (place, unsaved) => ({
    occ: occurrence(unsaved),
    how: [t('supporter.written.how'), chosen((word) => `supporter.written.how.${word}`)],
    at: moment(place),
  }),
  allergy: (place) => ({
    key: [t('supporter.med.field.substance'), (key) => substanceWords({ key })],
    word: [t('supporter.med.field.substance'), text],
    severity: [t('supporter.written.severity'), (value) => severityWords(text(value))],
    source: [t('supporter.med.field.source'), text],
    at: moment(place),
  }),
};

// ───────────────────────────────────────────────────────────── what was set

const SETS: Readonly<Record<string, (place: Place, unsaved: Unsaved) => Told>> = {
  reminder: ({ today }) => ({
    title: [t('supporter.form.title'), text],
    rule: [t('supporter.form.time'), (rule) => whenOf(rule as unknown as Rule, today)],
    minutes: [t('supporter.form.length'), minutes],
    category: [t('supporter.form.category'), (value) => categoryName(text(value))],
    label: [t('supporter.form.label'), text],
    // A picture's name is no word.
    symbol: hidden(),
    note: [t('supporter.form.note'), text],
    checkable: [t('supporter.written.checkable'), yesOrNo],
    grace: [
      t('supporter.form.grace'),
      (value) => (value === null ? t('supporter.grace.usual') : minutes(value)),
    ],
    criticality: [
      t('supporter.form.criticality'),
      chosen((word) => `supporter.criticality.${word}`),
    ],
    ring: [t('supporter.written.ring'), ringWords],
    deleted: [t('supporter.written.deleted'), (value) => (value === false ? '' : yesOrNo(value))],
  }),
  profile: ({ today }) => ({
    name: [t('supporter.profile.name'), text],
    flat: [t('supporter.profile.flat'), text],
    face: hidden(),
    language: [t('supporter.profile.language'), chosen((word) => `common.language.${word}`)],
    zone: [t('supporter.profile.zone'), text],
    level: [
      t('supporter.profile.level'),
      (value) => chosen((word) => `supporter.level.${word}`)(String(number(value))),
    ],
    weekdays: [t('supporter.profile.weekdays'), chosen((word) => `supporter.weekdays.${word}`)],
    theme: [t('supporter.profile.theme'), chosen((word) => `supporter.theme.${word}`)],
    night: [t('supporter.profile.night'), span],
    parts: [t('supporter.profile.parts'), partsWords],
    sound: [t('supporter.profile.sound_done'), chosen((word) => `sounds.${word}`)],
    sound_tell: [
      t('supporter.profile.sound_tell'),
      (value) =>
        value === null
          ? t('supporter.profile.sound_done')
          : chosen((word) => `sounds.${word}`)(value),
    ],
    loudest: [
      t('supporter.profile.loudest'),
      (value) => t('supporter.written.loudest', { percent: number(value) }),
    ],
    buzz: [t('supporter.profile.buzz'), chosen((word) => `supporter.buzz.${word}`)],
    pause: [t('supporter.profile.pause'), (value) => pauseWords(value, today)],
  }),
  alert: (place) => ({
    taken: [t('supporter.written.taken'), (value) => takenWords(value, place)],
    closed: [
      t('supporter.written.closed'),
      (value) =>
        value === null ? t('supporter.written.closed.open') : time(isIn(value)['at'], place),
    ],
  }),
};

function ladder(what: Fields, { rec, space }: Unsaved): Written {
  const before = mos.replica.row(space, 'ladder', rec ?? '')?.doc ?? {};
  const row = {
    coll: 'ladder',
    rec: rec ?? '',
    seq: 0,
    doc: { ...before, ...what, deleted: false },
    pending: false,
  };
  const read = readLadder(row);
  return said(what, {
    for: [t('supporter.written.for'), () => read && matterWords(read)],
    steps: [t('supporter.ladder.who'), () => read && stepsWords(read.steps)],
    deleted: [t('supporter.written.deleted'), (value) => (value === false ? '' : yesOrNo(value))],
  });
}

const CHOICE: Told = {
  // Which one it was is shown where the versions stand side by side.
  get choose(): Field {
    return [t('supporter.written.chose'), () => t('supporter.written.chose.text')];
  },
  get why(): Field {
    return [t('supporter.med.field.why'), text];
  },
  base: hidden(),
  seen: hidden(),
};

// ───────────────────────────────────────────────────────────── values in words

function occurrence({ space }: Unsaved): Field {
  return [
    t('supporter.written.occ'),
    (value) => {
      const [rec = '', at = ''] = text(value).split('@');
      const title =
        mos.replica.row(space, 'reminder', rec)?.doc['title'] ??
        isIn(isIn(mos.replica.row(space, 'order', rec)?.doc['active'])['v'])['drug'];
      const when = at.replace('T', ' ');
      return typeof title === 'string' ? `${title}, ${when}` : when;
    },
  ];
}

function moment(place: Place, label = t('supporter.written.at')): Field {
  return [label, (value) => time(value, place)];
}

function time(value: Json | undefined, { zone, today }: Place): string {
  const ms = Date.parse(text(value));
  if (Number.isNaN(ms)) throw new TypeError('no moment');
  return dayAndClock(ms, zone, today);
}

function takenWords(value: Json, place: Place): string {
  if (value === null) return t('supporter.written.taken.back');
  const { by, at, to } = isIn(value);
  const words = [personWords(text(by)), time(at, place)];
  if (typeof to === 'string')
    words.push(t('supporter.written.taken.to', { name: personWords(to) }));
  return words.join(' · ');
}

function ringWords(value: Json): string {
  const { start, again, before } = isIn(value);
  const words = [
    typeof before === 'number' && t('supporter.written.ring.before', { minutes: before }),
    start === true && t('supporter.written.ring.start'),
    again === true && t('supporter.written.ring.again'),
  ].filter((each) => each !== false);
  return words.length > 0 ? listWords(words) : t('supporter.written.ring.no');
}

function pauseWords(value: Json, today: string): string {
  if (!Array.isArray(value)) throw new TypeError('no pauses');
  const each = (value as readonly Json[]).map((pause) => {
    const { from, to, why } = isIn(pause);
    const until =
      typeof to === 'string'
        ? t('supporter.pause.span', {
            from: dateWords(text(from), today),
            to: dateWords(to, today),
          })
        : t('supporter.pause.from', { date: dateWords(text(from), today) });
    return typeof why === 'string' && why !== '' ? `${why} ${until}` : until;
  });
  return each.length > 0 ? each.join(' · ') : t('supporter.pause.none');
}

function partsWords(value: Json): string {
  return ['morning', 'day', 'evening', 'night'].map((part) => text(isIn(value)[part])).join(' · ');
}

function span(value: Json): string {
  const { from, to } = isIn(value);
  return `${text(from)}–${text(to)}`;
}

function outcome(value: Json): string | null {
  const key = `supporter.outcome.${value === 'other' ? 'another' : text(value)}`;
  return has(key) ? outcomeWords(value as ReadOutcome) : null;
}

function yesOrNo(value: Json): string {
  if (typeof value !== 'boolean') throw new TypeError('neither yes nor no');
  return t(value ? 'supporter.med.yes' : 'supporter.med.no');
}

function minutes(value: Json): string {
  return lengthWords(number(value));
}

/** One of several words that the catalogue has. */
function chosen(keyOf: (word: string) => string): (value: Json) => string | null {
  return (value) => {
    const key = keyOf(text(value));
    return has(key) ? t(key) : null;
  };
}

/** A name that is no word to anybody. */
function hidden(): Field {
  return ['', () => ''];
}

function text(value: Json | undefined): string {
  if (typeof value !== 'string') throw new TypeError('no text');
  return value;
}

function number(value: Json): number {
  if (typeof value !== 'number') throw new TypeError('no number');
  return value;
}

function isIn(value: Json | undefined): Fields {
  return value !== undefined && isFields(value) ? value : {};
}

function isFields(value: Json): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOrder(value: Fields): boolean {
  return Object.keys(orderProblems({ ...value })).length === 0;
}
