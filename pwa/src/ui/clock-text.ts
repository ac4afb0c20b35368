/** Clock times as people type them. */

/** `8`, `830`, `8.30` and `8:30` become `08:30` (`8` is `08:00`); what is no time stays as it was typed. */
export function tidyClock(typed: string): string {
  const found = /^\s*(\d{1,2})(?:\s*[:.,]?\s*(\d{2}))?\s*$/.exec(typed);
  if (found === null) return typed;
  const [hours, minutes] = [Number(found[1]), Number(found[2] ?? 0)];
  if (hours > 23 || minutes > 59) return typed;
  return `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
}
