/** The door to /api/v1: what is not synchronised. JSON in, JSON out, one kind of error. */

const TIMEOUT_MS = 20_000;

export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    /** The server's word for it; `offline` when no answer came. */
    readonly code: string,
    readonly detail = '',
    /** The field it is about, if one. */
    readonly field: string | null = null,
    /** Seconds until a new try makes sense, where the server says so. */
    readonly retryAfter: number | null = null,
  ) {
    super(`${String(status)} ${code}`);
    this.name = 'ApiError';
  }
}

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

let unauthenticated: () => void = () => undefined;

/** Told when the server no longer knows the session. */
export function onUnauthenticated(listener: () => void): void {
  unauthenticated = listener;
}

let unreached: () => void = () => undefined;

/** Told when a request met no server. */
export function onUnreached(listener: () => void): void {
  unreached = listener;
}

async function call<T>(method: Method, path: string, body?: unknown, again = false): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (method !== 'GET') headers['x-mos'] = '1';
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(`/api/v1/${path}`, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    unreached();
    throw new ApiError(0, 'offline');
  }
  const data: unknown = await response.json().catch(() => null);
  if (response.ok) return data as T;
  if (response.status === 401 && path !== 'session') unauthenticated();
  const error = problem(response, data);
  // A proxy speaks for a server that does not.
  if (response.status >= 502 && error.code === 'unknown') unreached();
  // Once the person has proved who they are, the request goes on as if nothing had been asked.
  if (error.code === 'step_up_needed' && !again && (await (await import('./step-up')).stepUp()))
    return call<T>(method, path, body, true);
  throw error;
}

/** RFC 9457, as far as it came. */
function problem(response: Response, data: unknown): ApiError {
  const told = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  const text = (name: string): string | null =>
    typeof told[name] === 'string' ? told[name] : null;
  const wait = Number(response.headers.get('retry-after') ?? NaN);
  return new ApiError(
    response.status,
    text('code') ?? 'unknown',
    text('detail') ?? '',
    text('field'),
    Number.isFinite(wait) ? wait : null,
  );
}

export const api = {
  get: <T>(path: string) => call<T>('GET', path),
  post: <T>(path: string, body?: unknown) => call<T>('POST', path, body),
  patch: <T>(path: string, body: unknown) => call<T>('PATCH', path, body),
  put: <T>(path: string, body: unknown) => call<T>('PUT', path, body),
  delete: <T>(path: string) => call<T>('DELETE', path),
};
