import { describe, expect, it } from 'vitest';

import { minutesOf } from './editor/clock';
import { problemsOf } from './editor/problems';
import { formsOf, TEMPLATES } from './templates';
import { DAYS } from './time';
import { symbolUrl } from '../ui/symbols';

const OPTIONS = { zone: 'Europe/Stockholm', start: '2026-11-27', language: 'sv' };

describe.each(TEMPLATES)('the standard day "%s"', (name) => {
  it('can be saved as it stands', () => {
    for (const form of formsOf(name, OPTIONS)) expect(problemsOf(form)).toEqual([]);
  });

  it('speaks the resident’s language', () => {
    const titles = ['sv', 'en', 'fi'].map((language) =>
      formsOf(name, { ...OPTIONS, language }).map((form) => form.title),
    );
    expect(new Set(titles.map((each) => each.join())).size).toBe(3);
  });

  it('has a picture for everything', () => {
    for (const form of formsOf(name, OPTIONS)) expect(symbolUrl(form.symbol)).toBeTruthy();
  });

  it.each(DAYS)('never lets two things lie on each other on %s', (day) => {
    const today = formsOf(name, OPTIONS).filter((form) => form.days.includes(day));
    const starts = today.map((form) => minutesOf(form.times[0] ?? ''));
    for (const [index, form] of today.entries()) {
      const next = starts[index + 1];
      if (next !== undefined) {
        expect((starts[index] ?? 0) + form.minutes).toBeLessThanOrEqual(next);
      }
    }
  });

  it('leaves nobody more than eleven hours without food at night', () => {
    const meals = formsOf(name, OPTIONS).filter((form) => form.category === 'meal');
    const first = minutesOf(meals[0]?.times[0] ?? '');
    const last = meals.at(-1);
    const ends = minutesOf(last?.times[0] ?? '') + (last?.minutes ?? 0);
    expect(first + 1440 - ends).toBeLessThanOrEqual(660);
  });

  it('ends in bed and wakes before the first thing of the day', () => {
    const forms = formsOf(name, OPTIONS);
    const sleep = forms.at(-1);
    expect(sleep?.category).toBe('sleep');
    const wakes = minutesOf(sleep?.times[0] ?? '') + (sleep?.minutes ?? 0) - 1440;
    expect(wakes).toBeLessThanOrEqual(minutesOf(forms[0]?.times[0] ?? ''));
  });
});
