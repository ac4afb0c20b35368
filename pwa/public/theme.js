// Paints the first frame in the chosen theme, before the app is there. The same rule as src/app/theme.svelte.ts.
(() => {
  let choice = null;
  try {
    choice = localStorage.getItem('mos.theme');
  } catch {
    // Storage may be closed to us; the system's theme will do.
  }
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme =
    choice === 'light' || choice === 'dark' ? choice : dark ? 'dark' : 'light';
})();
