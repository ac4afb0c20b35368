/** The staff code that ends kiosk mode, kept as what it makes with a salt. Works with no network. */

export interface Sealed {
  readonly salt: string;
  readonly hash: string;
}

const ROUNDS = 200_000;
export const CODE = /^\d{4,8}$/;

export async function seal(code: string): Promise<Sealed> {
  const salt = hex(crypto.getRandomValues(new Uint8Array(16)));
  return { salt, hash: await digest(code, salt) };
}

export async function opens(sealed: Sealed, code: string): Promise<boolean> {
  return (await digest(code, sealed.salt)) === sealed.hash;
}

async function digest(code: string, salt: string): Promise<string> {
  const text = new TextEncoder();
  const key = await crypto.subtle.importKey('raw', text.encode(code), 'PBKDF2', false, [
    'deriveBits',
  ]);
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: text.encode(salt), iterations: ROUNDS };
  return hex(new Uint8Array(await crypto.subtle.deriveBits(how, key, 256)));
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
