/** Which pictures to show first. Pure. */

interface Wanted {
  search: string;
  title: string;
}

/** With a search: those whose words begin with it. Without: those that fit the title, then all others. */
export function picturesFor<Name extends string>(
  names: readonly Name[],
  words: (name: Name) => string,
  { search, title }: Wanted,
): Name[] {
  const wanted = search.trim().toLocaleLowerCase();
  if (wanted !== '')
    return names.filter((name) => wordsOf(words(name)).some((word) => word.startsWith(wanted)));
  const parts = wordsOf(title);
  const fits = names.filter((name) =>
    wordsOf(words(name)).some((word) => parts.some((part) => part.length > 2 && word === part)),
  );
  return [...fits, ...names.filter((name) => !fits.includes(name))];
}

function wordsOf(text: string): string[] {
  return text
    .toLocaleLowerCase()
    .split(/[\s,]+/u)
    .filter(Boolean);
}
