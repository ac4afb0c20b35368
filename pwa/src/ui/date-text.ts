/** Days as people type them. */

/** `20261127`, `261127`, `27.11.2026` and `27/11 2026` become `2026-11-27`; what is no day stays as it was typed. */
export function tidyDate(typed: string): string {
  const text = typed.trim();
  const yearFirst = /^(\d{4}|\d{2})[-./ ]?(\d{2})[-./ ]?(\d{2})$/.exec(text);
  if (yearFirst) return day(yearFirst[1], yearFirst[2], yearFirst[3]) ?? typed;
  const dayFirst = /^(\d{1,2})[-./ ](\d{1,2})[-./ ]+(\d{4})$/.exec(text);
  if (dayFirst) return day(dayFirst[3], dayFirst[2], dayFirst[1]) ?? typed;
  return typed;
}

function day(year = '', month = '', date = ''): string | null {
  const iso = `${year.padStart(4, '20')}-${month.padStart(2, '0')}-${date.padStart(2, '0')}`;
  const moment = new Date(`${iso}T00:00:00Z`);
  // A calendar without the 31st of a month would take the next day for it.
  const isDay = !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(iso);
  return isDay ? iso : null;
}
