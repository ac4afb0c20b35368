/** What somebody holds in their hand: a QR code's text, a link, or a code as it was typed. */

const LINK = /#\/(inbjudan|borja)\/([\w-]+)/;
// As the server makes them: no I, L, O or U, and read as meant where they were typed all the same.
const CODE = /^[0-9A-HJKMNP-TV-Z]{16}$/;

/** Where it leads in this app, as a path; null for something else. Another server's address leads nowhere but here. */
export function pathOf(text: string): string | null {
  const link = LINK.exec(text);
  if (link?.[1] !== undefined && link[2] !== undefined) return `/${link[1]}/${link[2]}`;
  const code = text
    .toUpperCase()
    .replaceAll(/[\s-]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
  return CODE.test(code) ? `/inbjudan/${code}` : null;
}
