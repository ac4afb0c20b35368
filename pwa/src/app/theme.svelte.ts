/** Light, dark or night: one value on `<html data-theme>`. `public/theme.js` paints the first frame by the same rule. */

export const THEMES = ['auto', 'light', 'dark'] as const;
export type ThemeChoice = (typeof THEMES)[number];
const CHOICE = 'mos.theme';

class Theme {
  /** This device's own choice; it wins. */
  choice = $state<ThemeChoice>(stored());
  /** What the resident's profile says; set by the resident's screens. */
  profile = $state<ThemeChoice>('auto');
  /** True while the resident's night lasts; set by the resident's screens. */
  night = $state(false);
  /** For `data-theme`; `auto` follows the system. */
  readonly shown: ThemeChoice | 'night' = $derived(
    this.night ? 'night' : this.choice === 'auto' ? this.profile : this.choice,
  );

  choose(choice: ThemeChoice): void {
    this.choice = choice;
    try {
      localStorage.setItem(CHOICE, choice);
    } catch {
      // The choice lasts until the app is closed.
    }
  }
}

function stored(): ThemeChoice {
  try {
    const found = localStorage.getItem(CHOICE);
    return THEMES.find((each) => each === found) ?? 'auto';
  } catch {
    return 'auto';
  }
}

export const theme = new Theme();
