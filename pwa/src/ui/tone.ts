/** The six colour families a component can wear, and the plain one. */
export type Tone = 'meal' | 'sleep' | 'rest' | 'med' | 'act' | 'care' | 'plain';

/** A staff status: what it is, never only its colour. */
export type Status = 'ok' | 'late' | 'missed' | 'silent' | 'paused' | 'info';

/** Residents get large targets and text; staff get dense ones. */
export type Size = 'resident' | 'staff';

/** The custom properties of one family, for a style attribute. */
export function toneStyle(tone: Tone): string {
  if (tone === 'plain')
    return '--tone:var(--past);--tone-soft:var(--surface);--tone-ink:var(--ink2)';
  return `--tone:var(--${tone});--tone-soft:var(--${tone}-soft);--tone-ink:var(--${tone}-ink)`;
}
