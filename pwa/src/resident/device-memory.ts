/** Small things this device remembers about itself. Not the resident's data: losing them costs a repeated ring at most. */

const MOST = 300;
/** What could not be stored: a browser that stores nothing, or a full one, remembers until it is closed. */
const unstored = new Map<string, string[]>();

export function remembered(name: string): Set<string> {
  return new Set(words(name));
}

/** Remember one more; the oldest give way. Returns the new set. */
export function remember(name: string, word: string): Set<string> {
  const kept = [...new Set([...words(name), word])].slice(-MOST);
  try {
    localStorage.setItem(`mos.${name}`, JSON.stringify(kept));
    unstored.delete(name);
  } catch {
    unstored.set(name, kept);
  }
  return new Set(kept);
}

function words(name: string): string[] {
  return unstored.get(name) ?? stored(name);
}

function stored(name: string): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(`mos.${name}`) ?? '[]');
    return Array.isArray(found) ? found.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}
