/** The three first cards: shown until somebody puts them away, and remembered on the device. */

const CHOICE = 'mos.guide.supporter';

class Guide {
  shown = $state(!isPutAway());

  putAway(): void {
    this.shown = false;
    try {
      localStorage.setItem(CHOICE, 'done');
    } catch {
      // They come back when the app is opened again.
    }
  }
}

export const guide = new Guide();

function isPutAway(): boolean {
  try {
    return localStorage.getItem(CHOICE) === 'done';
  } catch {
    return false;
  }
}
