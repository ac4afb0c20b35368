/** The seven days and what they are called. */

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

// 5 January 1970 was a Monday.
const A_MONDAY = Date.UTC(1970, 0, 5);
const DAY = 86_400_000;

/** `narrow` is two letters ("Må"), enough to tell all seven apart in Swedish, English and Finnish. */
export function weekdayName(
  day: Weekday,
  language: string,
  form: 'long' | 'short' | 'narrow',
): string {
  const at = A_MONDAY + WEEKDAYS.indexOf(day) * DAY;
  const name = new Intl.DateTimeFormat(language, {
    weekday: form === 'short' ? 'short' : 'long',
    timeZone: 'UTC',
  }).format(at);
  const cut = form === 'narrow' ? name.slice(0, 2) : name;
  return cut.charAt(0).toLocaleUpperCase(language) + cut.slice(1);
}
