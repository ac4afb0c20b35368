/** An alert as its record holds it. Pure. */
import type { Json, Row } from '../offline/model';
import { count, fieldsOf, moment, oneOf, text, type Fields } from './day';
import type { Alert } from './model';

const ALERTS: readonly Alert['kind'][] = [
  'late',
  'missed',
  'help',
  'silent',
  'conflict',
  'double',
  'unentitled',
];

/** An alert, or null for one that this release does not understand. `call` finds the help that it is about, which says
 *  why. */
export function readAlert(
  row: Row,
  call: (rec: string) => Row | undefined = () => undefined,
): Alert | null {
  const what = fieldsOf(row.doc['what']);
  const [kind, at] = [oneOf(ALERTS, what['kind']), moment(what['at'])];
  if (kind === null || at === null) return null;
  const step = fieldsOf(row.doc['step']);
  return {
    id: row.rec,
    kind,
    occ: text(what['occ']) || null,
    reminder: text(what['reminder']) || null,
    unwilling: text(fieldsOf(call(text(what['help']))?.doc['v'])['why']) === 'unwilling',
    about: aboutOf(what),
    at,
    step: {
      n: count(step['n']) ?? 0,
      of: count(step['of']) ?? 0,
      nextAt: moment(step['next_at']),
    },
    taken: readTaken(row.doc['taken'], at),
    closed: readClosed(row.doc['closed'], at),
  };
}

function aboutOf(what: Fields): Alert['about'] {
  const coll = ['order', 'allergy_lowering', 'texture'].find((each) => text(what[each]));
  return coll === undefined ? null : { coll, rec: text(what[coll]) };
}

function readTaken(value: Json | undefined, opened: number): Alert['taken'] {
  if (!value) return null;
  const taken = fieldsOf(value);
  const at = moment(taken['at']) ?? opened;
  return { by: text(taken['by']), at, againAt: moment(taken['again_at']) ?? at };
}

function readClosed(value: Json | undefined, opened: number): Alert['closed'] {
  if (!value) return null;
  const closed = fieldsOf(value);
  return { at: moment(closed['at']) ?? opened, why: text(closed['why']) };
}
