// Paints the first frame in the chosen theme, before the app is there: src/app/theme.svelte.ts keeps the choice.
try {
  document.documentElement.dataset.theme = localStorage.getItem('mos.theme') ?? 'auto';
} catch {
  // Storage may be closed to us; the system's theme will do.
}
