/** Whose a change is, after its author's session is over: a key that the server gave with the session signs it. */
import type { SessionKey } from './database';
import type { As, Op } from './protocol';

/** What the server tells of a session, once. */
export interface SessionSecret {
  readonly sid: string;
  /** 32 bytes, base64url. */
  readonly key: string;
}

/** The key as it is kept: usable, not readable. Null where the browser has no cryptography (plain http). */
export async function keep(account: string, session: SessionSecret): Promise<SessionKey | null> {
  // Absent without a secure context, whatever TypeScript says.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) return null;
  const base64 = session.key.replaceAll('-', '+').replaceAll('_', '/');
  const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
  const how = { name: 'HMAC', hash: 'SHA-256' };
  const key = await subtle.importKey('raw', bytes, how, false, ['sign']);
  return { sid: session.sid, account, key };
}

/** Of what was signed by a PIN in this tab, by session: for the day the disk forgets. */
export const signing = new Map<string, SessionKey>();

/** Says that these ops, in exactly the text that is sent, are of the session. */
export async function sign(
  { sid, key }: SessionKey,
  device: string,
  batch: string,
  ops: readonly Op[],
): Promise<As> {
  // Inside a larger JSON text an op is written exactly as alone.
  const text = [device, batch, ...ops.map((op) => JSON.stringify(op))].join('\n');
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(text)));
  return { sid, mac: Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join('') };
}
