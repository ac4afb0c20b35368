/** What somebody has recorded for a reminder, as its record names it. Apart from the reminder: a day does without it. */
import type { Row } from '../offline/model';

export const MOST_SECONDS = 30;

export interface Clip {
  /** SHA-256 of the file, in hex. */
  id: string;
  seconds: number;
}

/** What of a later release is not understood is none: then a voice is heard. */
export function clipOf(row: Row | undefined): Clip | null {
  const named = row?.doc['deleted'] === true ? null : row?.doc['clip'];
  if (typeof named !== 'object' || named === null || Array.isArray(named)) return null;
  const { id, seconds } = named as Record<string, unknown>;
  if (typeof id !== 'string' || !/^[0-9a-f]{64}$/u.test(id)) return null;
  return { id, seconds: typeof seconds === 'number' ? seconds : 0 };
}

/** Where the file is, below `/api/v1/`. */
export function clipPath(space: string, id: string): string {
  return `residents/${space}/clips/${id}`;
}
