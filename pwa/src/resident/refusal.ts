/** A call for help that the server refused leaves this device without a trace: that is not help that is over. Pure. */
import type { Help } from './help';

export interface Fate {
  /** The call that waits for the server. */
  waits: string | null;
  /** Nobody was told of the last call. */
  refused: boolean;
}

export const NOTHING: Fate = { waits: null, refused: false };

/** What has become of the call that waited. `here`: every call that this device holds, those taken back as well. */
export function fateOf(before: Fate, helps: readonly Help[], here: readonly string[]): Fate {
  const waiting = helps.find(({ pending }) => pending);
  if (waiting !== undefined) return { waits: waiting.rec, refused: false };
  const refused = before.waits === null ? before.refused : !here.includes(before.waits);
  return { waits: null, refused };
}
