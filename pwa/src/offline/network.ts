/** MOS-Sync over HTTPS. */
import {
  SyncError,
  type HelloAnswer,
  type Network,
  type PokeListener,
  type PullAnswer,
  type PushAnswer,
} from './protocol';

const TIMEOUT_MS = 30_000;

export function httpNetwork(): Network {
  return {
    hello: (body) => post<HelloAnswer>('hello', body),
    push: (body) => post<PushAnswer>('push', body),
    pull: (body) => post<PullAnswer>('pull', body),
    poke: listen,
  };
}

async function post<T>(path: string, body: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/sync/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-mos': '1' },
      credentials: 'same-origin',
      cache: 'no-store',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return (await response.json()) as T;
  } catch {
    // No connection, an answer cut short, or one that is not ours (a hotel's sign-in page).
    throw new SyncError('offline');
  }
  throw await failure(response);
}

async function failure(response: Response): Promise<SyncError> {
  const told = (await response.json().catch(() => ({}))) as {
    code?: unknown;
    retry_after_s?: unknown;
  };
  switch (response.status) {
    case 400:
    case 422:
      return new SyncError('malformed');
    case 401:
      return new SyncError(told.code === 'device_revoked' ? 'wipe' : 'signed_out');
    case 413:
      return new SyncError('too_large');
    case 426:
      return new SyncError('upgrade_required');
    default: {
      const seconds = typeof told.retry_after_s === 'number' ? told.retry_after_s : Number.NaN;
      const wait = Number.isFinite(seconds)
        ? seconds
        : Number(response.headers.get('retry-after') ?? Number.NaN);
      return new SyncError('busy', Number.isFinite(wait) ? wait * 1000 : null);
    }
  }
}

function listen(listener: PokeListener): () => void {
  if (typeof EventSource === 'undefined') return () => undefined;
  const source = new EventSource('/sync/v1/poke');
  const end = (retryMs: number | null): void => {
    source.close();
    listener.ended(retryMs);
  };
  source.addEventListener('heads', (event) => {
    const heads = (parse(event.data) as { h?: Record<string, number> } | null)?.h;
    if (heads !== undefined) listener.heads(heads);
  });
  source.addEventListener('acl', () => listener.access());
  source.addEventListener('ring', () => listener.hint());
  source.addEventListener('bye', (event) => {
    const wait = (parse(event.data) as { retry_ms?: unknown } | null)?.retry_ms;
    end(typeof wait === 'number' ? wait : null);
  });
  // Our own patience is better than the browser's fixed three seconds.
  source.addEventListener('error', () => {
    end(null);
  });
  return () => {
    source.close();
  };
}

function parse(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return null;
  }
}
