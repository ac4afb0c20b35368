/** How many rings and alerts a day brings, as the API tells it. Types, and what a picture of them needs. Pure. */

export interface LoadDay {
  /** `YYYY-MM-DD` in the organisation's zone. */
  day: string;
  rings: number;
  alerts: number;
  /** More than is good for anybody. */
  many: boolean;
  /** Of the alerts, between 23 and 6. Absent in what an earlier server says. */
  at_night?: number;
}

export interface Load {
  days: LoadDay[];
  rings: { median: number; worst: number };
  alerts: { median: number; worst: number };
  /** As many alerts a day as are still bearable. */
  most: number;
}

/** One bar: a day, or seven. */
export interface LoadBar {
  /** Its first day. */
  from: string;
  rings: number;
  alerts: number;
  atNight: number;
  many: boolean;
}

/** A bar for each day, or for each seven days, the oldest first. Many is a week with a day of many. */
export function barsOf({ days }: Load, by: 'day' | 'week'): LoadBar[] {
  const size = by === 'day' ? 1 : 7;
  const bars: LoadBar[] = [];
  for (let at = 0; at < days.length; at += size) {
    const part = days.slice(at, at + size);
    const sum = (of: (day: LoadDay) => number): number =>
      part.reduce((total, day) => total + of(day), 0);
    bars.push({
      from: part[0]?.day ?? '',
      rings: sum(({ rings }) => rings),
      alerts: sum(({ alerts }) => alerts),
      atNight: sum(({ at_night }) => at_night ?? 0),
      many: part.some(({ many }) => many),
    });
  }
  return bars;
}

/** How high so many alerts stand, 0 to 1: never less than the bearable number fills, so that quiet weeks look quiet. */
export function barHeight(alerts: number, bars: readonly LoadBar[], most: number): number {
  return alerts / Math.max(most, ...bars.map((bar) => bar.alerts));
}
