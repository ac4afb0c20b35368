/** Ids made on the device. Pure: time and randomness are arguments. */

export type Random = (bytes: number) => Uint8Array;

/** UUIDv7: ordered by the millisecond it was made in. */
export function uuid7(ms: number, random: Random): string {
  const bytes = random(16);
  for (let i = 5, rest = ms; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The moment in which a UUIDv7 was made, ms; null for an id of another kind. */
export function madeAt(id: string): number | null {
  const hex = /^([\da-f]{8})-([\da-f]{4})-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.exec(id);
  return hex === null ? null : parseInt(`${hex[1]}${hex[2]}`, 16);
}

/** Who a clock belongs to: 16 hex digits. */
export function newActor(random: Random): string {
  return toHex(random(8));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
