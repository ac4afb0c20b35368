/** Light, dark or night: one value on `<html data-theme>`. `public/theme.js` paints the first frame by the same rule. */

export const THEMES = ['auto', 'light', 'dark'] as const;
export type ThemeChoice = (typeof THEMES)[number];
const CHOICE = 'mos.theme';

class Theme {
  #system = $state(matchMedia('(prefers-color-scheme: dark)').matches);
  /** This device's own choice; it wins. */
  choice = $state<ThemeChoice>(stored());
  /** What the resident's profile says; set by the resident's screens. */
  profile = $state<ThemeChoice>('auto');
  /** True while the resident's night lasts; set by the resident's screens. */
  night = $state(false);
  readonly shown: 'light' | 'dark' | 'night' = $derived.by(() => {
    if (this.night) return 'night';
    const chosen = this.choice === 'auto' ? this.profile : this.choice;
    return chosen === 'auto' ? (this.#system ? 'dark' : 'light') : chosen;
  });

  constructor() {
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', (event) => {
      this.#system = event.matches;
    });
  }

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
