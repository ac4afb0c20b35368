/** MOS-Sync over HTTPS. */
import {
  SyncError,
  type HelloAnswer,
  type Network,
  type PokeListener,
  type PullAnswer,
  type PushAnswer,
  type SnapshotPlace,
} from './protocol';

const TIMEOUT_MS = 30_000;

export function httpNetwork(): Network {
  return {
    hello: (body) => post<HelloAnswer>('hello', body),
    push: (body) => post<PushAnswer>('push', body),
    pull: (body) => post<PullAnswer>('pull', body),
    snapshot: lines,
    wiped: (body) => post<undefined>('wiped', body),
    end,
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
    if (response.status === 204) return undefined as T;
    if (response.ok) return (await response.json()) as T;
  } catch {
    // No connection, an answer cut short, or one that is not ours (a hotel's sign-in page).
    throw new SyncError('offline');
  }
  throw await failure(response);
}

/** By its name: whoever has signed in meanwhile stays signed in. */
async function end(sid: string | null): Promise<void> {
  let response: Response;
  try {
    response = await fetch(sid === null ? '/api/v1/session' : `/api/v1/sessions/${sid}`, {
      method: 'DELETE',
      headers: { 'x-mos': '1' },
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new SyncError('offline');
  }
  // It ended by itself, or with the sign-in of the next person.
  if (!response.ok && ![401, 404].includes(response.status)) throw await failure(response);
}

/** Newline-delimited JSON, line by line as it arrives. Silence for too long ends it. */
async function* lines(path: string, from: SnapshotPlace | null): AsyncGenerator {
  const place = from && { epoch: String(from.epoch), at: String(from.at), after: from.after };
  const url = place === null ? path : `${path}?${new URLSearchParams(place).toString()}`;
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), TIMEOUT_MS);
  let response: Response;
  let left = '';
  try {
    response = await fetch(url, { credentials: 'same-origin', signal: silence.signal });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    while (response.ok && reader !== undefined) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), TIMEOUT_MS);
      const whole = (left + value).split('\n');
      left = whole.pop() ?? '';
      for (const line of whole) if (line !== '') yield JSON.parse(line) as unknown;
    }
  } catch {
    throw new SyncError('offline');
  } finally {
    clearTimeout(timer);
    // Whoever listens may have stopped listening.
    silence.abort();
  }
  if (response.status === 409) throw new SyncError('stale_snapshot');
  if ([404, 405].includes(response.status)) throw new SyncError('no_snapshot');
  throw await failure(response);
}

async function failure(response: Response): Promise<SyncError> {
  const told = (await response.json().catch(() => ({}))) as {
    code?: unknown;
    retry_after_s?: unknown;
    nonce?: unknown;
  };
  switch (response.status) {
    case 400:
    case 422:
      return new SyncError('malformed');
    case 401:
      return told.code === 'device_revoked'
        ? new SyncError('wipe', null, typeof told.nonce === 'string' ? told.nonce : null)
        : new SyncError('signed_out');
    case 403:
      return new SyncError(told.code === 'not_the_author' ? 'not_the_author' : 'busy');
    case 413:
      return new SyncError('too_large');
    case 426:
      return new SyncError('upgrade_required');
    default: {
      // A proxy speaks for a server that does not: whoever looks is told that there is no contact.
      if (response.status >= 502 && told.code === undefined) return new SyncError('offline');
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
  source.addEventListener('wipe', (event) => {
    const nonce = (parse(event.data) as { nonce?: unknown } | null)?.nonce;
    if (typeof nonce === 'string') listener.wipe(nonce);
  });
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
