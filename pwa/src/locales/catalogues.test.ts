import { describe, expect, it } from 'vitest';

type Catalogue = Record<string, string>;

const files = import.meta.glob<Catalogue>('./*/*.json', { eager: true, import: 'default' });
const sources = import.meta.glob<string>(['../**/*.{ts,svelte}', '!../**/*.test.ts'], {
  eager: true,
  query: '?raw',
  import: 'default',
});

const LANGUAGES = ['sv', 'en', 'fi'];
const areas = [
  ...new Set(Object.keys(files).map((path) => path.split('/')[2]?.replace('.json', '') ?? '')),
];

function catalogue(language: string, area: string): Catalogue {
  return files[`./${language}/${area}.json`] ?? {};
}

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort();
}

/** `a.b.one` and `a.b.other` are two forms of `a.b`. */
function base(key: string): string {
  return key.replace(/\.(zero|one|two|few|many|other)$/, '');
}

describe.each(areas)('the texts of %s', (area) => {
  const swedish = catalogue('sv', area);

  it.each(LANGUAGES)('are all there in %s, and no others', (language) => {
    expect(Object.keys(catalogue(language, area)).sort()).toEqual(Object.keys(swedish).sort());
  });

  it.each(LANGUAGES)('say something in %s, without air at the ends', (language) => {
    const odd = Object.entries(catalogue(language, area)).filter(
      ([, text]) => text.trim() === '' || text !== text.trim() || text.includes('  '),
    );
    expect(odd).toEqual([]);
  });

  it.each(LANGUAGES)('have the apostrophes and quotes of print in %s', (language) => {
    const typed = Object.entries(catalogue(language, area)).filter(([, text]) => /['"]/.test(text));
    expect(typed).toEqual([]);
  });

  it.each(LANGUAGES)('take the same words in %s as in Swedish', (language) => {
    // One form may leave out its number: "en kvart".
    const wrong = Object.entries(catalogue(language, area)).filter(([key, text]) => {
      const allowed = placeholders(`${swedish[key] ?? ''} ${swedish[`${base(key)}.other`] ?? ''}`);
      // Finnish has no owner ("Elsas"): it names the person.
      if (allowed.includes('owner')) allowed.push('name');
      return placeholders(text).some((name) => !allowed.includes(name));
    });
    const lost = Object.entries(swedish).filter(([key, text]) => {
      const there = placeholders(catalogue(language, area)[key] ?? '');
      return placeholders(text).some(
        (name) => name !== 'count' && name !== 'owner' && !there.includes(name),
      );
    });
    expect({ wrong, lost }).toEqual({ wrong: [], lost: [] });
  });
});

it('no key stands in two areas', () => {
  const all = areas.flatMap((area) => Object.keys(catalogue('sv', area)));
  expect(all.filter((key, at) => all.indexOf(key) !== at)).toEqual([]);
});

it('no text is unused', () => {
  const { literals, patterns } = mentioned();
  const unused = areas
    .flatMap((area) => Object.keys(catalogue('sv', area)))
    .filter(
      (key) => ![key, base(key)].some((k) => literals.has(k) || patterns.some((p) => p.test(k))),
    );
  expect(unused).toEqual([]);
});

/** Every string of the sources, and for every template with holes the shape of what it can become. */
function mentioned(): { literals: ReadonlySet<string>; patterns: readonly RegExp[] } {
  const literals = new Set<string>();
  const patterns: RegExp[] = [];
  for (const source of Object.values(sources)) {
    for (const [, , text] of source.matchAll(/(['"])([a-z_]+\.[\w.-]+)\1/g))
      literals.add(text ?? '');
    for (const template of templates(source)) {
      if (!/^[a-z_]+\./.test(template[0] ?? '')) continue;
      if (template.length === 1) literals.add(template[0] ?? '');
      else patterns.push(new RegExp(`^${template.map(escaped).join('[\\w-]+')}$`));
    }
  }
  return { literals, patterns };
}

/** The fixed parts of each template literal: `a.${x}.b` → ['a.', '.b']. Templates inside holes are found too. */
function* templates(source: string): Generator<string[]> {
  for (let at = source.indexOf('`'); at !== -1; at = source.indexOf('`', at + 1)) {
    const parts = [''];
    let depth = 0;
    for (let i = at + 1; i < source.length; i++) {
      if (depth === 0 && source[i] === '`') break;
      if (source[i] === '$' && source[i + 1] === '{' && depth === 0) {
        depth = 1;
        parts.push('');
        i += 1;
      } else if (depth > 0) {
        depth += source[i] === '{' ? 1 : source[i] === '}' ? -1 : 0;
      } else {
        parts.push((parts.pop() ?? '') + (source[i] ?? ''));
      }
    }
    yield parts;
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
