/** All that there is of somebody: asked for, made by the server, and fetched as a file. */
import { ApiError } from '../app/api';

export type Form = 'pdf' | 'json';

/** Moments are instants; the sizes are in bytes, null until it is made. */
export interface Export {
  readonly id: string;
  readonly account: string;
  /** A resident's day; null of others. */
  readonly space: string | null;
  readonly asked_at: string;
  readonly until: string;
  readonly state: 'waiting' | 'made' | 'failed';
  /** How much was read so far. */
  readonly rows: number;
  readonly json_size: number | null;
  readonly pdf_size: number | null;
}

/** A whole year of somebody's day takes its time on a slow line. */
const TIMEOUT_MS = 120_000;

/** Fetch the file, and ask once more who it is where the server wants to know. */
export async function fetchFile(id: string, form: Form, again = false): Promise<Blob> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/exports/${id}/file?form=${form}`, {
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return await response.blob();
  } catch {
    throw new ApiError(0, 'offline');
  }
  const told = (await response.json().catch(() => null)) as { code?: string } | null;
  const code = told?.code ?? 'unknown';
  if (code === 'step_up_needed' && !again && (await (await import('../app/step-up')).stepUp()))
    return fetchFile(id, form, true);
  throw new ApiError(response.status, code);
}

/** Let the browser keep a file. */
export function keep(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Of what one has asked for, what is about this resident, or about oneself. */
export function about(
  exports: readonly Export[],
  { space, account }: { space: string | null; account: string },
): Export | null {
  const isIt = (each: Export): boolean =>
    space === null ? each.account === account : each.space === space;
  return exports.find(isIt) ?? null;
}
