/** Which allergies count, and what of them may be written (docs/records.md). Pure. The server judges alike:
 *  spec/vectors/allergy.json.
 */

/** The substances of Regulation (EU) 1169/2011, with cereals and tree nuts by their kinds. */
export const ALLERGENS = [
  ...['WHEAT', 'RYE', 'BARLEY', 'OATS', 'SPELT', 'KHORASAN', 'EMMER', 'EINKORN'],
  ...['CRUSTACEANS', 'EGGS', 'FISH', 'PEANUTS', 'SOY', 'MILK'],
  ...['ALMONDS', 'HAZELNUTS', 'WALNUTS', 'CASHEWS'],
  ...['PECANS', 'BRAZIL_NUTS', 'PISTACHIOS', 'MACADAMIA'],
  ...['CELERY', 'MUSTARD', 'SESAME', 'SULPHITES', 'LUPINS', 'MOLLUSCS'],
] as const;

/** The mildest first. */
export const SEVERITIES = ['preference', 'intolerance', 'allergy', 'anaphylaxis'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Substance {
  key?: string;
  word?: string;
}
export type Allergy = Substance & { severity: string };
export type Lowering = Substance & { covers: readonly string[]; to: string | null };

/** What an allergy is of: one of the keys, or a person's own word in small letters. */
export function substanceName({ key, word }: Substance): string {
  return key ?? (word ?? '').replace(/^[ \t\r\n\u00a0]+|[ \t\r\n\u00a0]+$/g, '').toLowerCase();
}

/** The severity that counts for each substance that has one, by its name. An allergy that no active decision covers
 *  counts, whatever was decided before it arrived: of several the severest. Nothing else takes one away. */
export function whatCounts(
  allergies: Readonly<Record<string, Allergy>>,
  lowerings: readonly Lowering[],
): Record<string, string> {
  const decided = new Map(lowerings.map((v) => [substanceName(v), v]));
  const found: Record<string, string> = {};
  for (const [rec, v] of Object.entries(allergies)) {
    const name = substanceName(v);
    if (!decided.get(name)?.covers.includes(rec)) found[name] = severest(found[name], v.severity);
  }
  for (const [name, { to }] of decided) if (to !== null) found[name] = severest(found[name], to);
  return found;
}

/** The more severe of two; a word of a later release counts as the worst. */
function severest(one: string | undefined, other: string): string {
  return one === undefined || rank(other) > rank(one) ? other : one;
}

function rank(severity: string): number {
  const place = (SEVERITIES as readonly string[]).indexOf(severity);
  return place === -1 ? SEVERITIES.length : place;
}
