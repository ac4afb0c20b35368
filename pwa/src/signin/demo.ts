/** What only a demo has. Nobody in it exists. */

/** Its people share one password, which `mos up` prints too; no other installation knows it. */
export const DEMO_PASSWORD = 'frukost klockan 8';

/** The residents' faces are those of their profiles. */
const FACES: Readonly<Record<string, string>> = {
  elsa: 'face-older-woman',
  amir: 'face-man-beard-dark',
  gunnar: 'face-man-bald',
  maja: 'face-woman-blond',
  birgitta: 'face-older-woman-medium',
  tor: 'face-man-curly',
  sara: 'face-woman',
  jonas: 'face-man-blond',
  fatima: 'face-woman-headscarf',
  mikael: 'face-man-beard',
  ingrid: 'face-woman-white',
  eva: 'face-woman-red',
  karin: 'face-woman-curly',
  lena: 'face-woman-medium',
  yusuf: 'face-man-dark',
  anders: 'face-man',
  admin: 'face-man',
};

/** A face of ui/symbols.ts, or empty. */
export function demoFace(email: string): string {
  return FACES[email.split('@')[0] ?? ''] ?? '';
}
