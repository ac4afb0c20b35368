/** Where we are: `#/dagen/2026-11-27?vy=1` is path `['dagen', '2026-11-27']` and query `vy=1`.
 *  What stands after `#` never reaches a server, so a link may carry a one-time secret. */

class Route {
  #hash = $state(location.hash);
  readonly path: readonly string[] = $derived(segments(this.#hash));
  readonly query: URLSearchParams = $derived(new URLSearchParams(this.#hash.split('?')[1] ?? ''));

  constructor() {
    addEventListener('hashchange', () => (this.#hash = location.hash));
  }

  follow(): void {
    this.#hash = location.hash;
  }
}

export const route = new Route();

/** Go to `/dagen`. `replace` leaves no step back. */
export function go(path: string, { replace = false } = {}): void {
  const hash = `#${path.startsWith('/') ? path : `/${path}`}`;
  if (replace) history.replaceState(null, '', hash);
  else history.pushState(null, '', hash);
  route.follow();
}

/** The `href` of a link to `/dagen`. */
export function href(path: string): string {
  return `#${path}`;
}

function segments(hash: string): string[] {
  const path = hash.replace(/^#/, '').split('?')[0] ?? '';
  return path.split('/').filter(Boolean).map(decode);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
