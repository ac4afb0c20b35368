/** Small things this device remembers about itself. Not the resident's data: losing them costs a repeated ring at most. */

const MOST = 300;

export function remembered(name: string): Set<string> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(`mos.${name}`) ?? '[]');
    return new Set(Array.isArray(found) ? found.filter((each) => typeof each === 'string') : []);
  } catch {
    return new Set();
  }
}

/** Remember one more; the oldest give way. Returns the new set. */
export function remember(name: string, word: string): Set<string> {
  const words = [...remembered(name), word].slice(-MOST);
  try {
    localStorage.setItem(`mos.${name}`, JSON.stringify(words));
  } catch {
    // A browser that stores nothing remembers until it is closed, in the caller's set.
  }
  return new Set(words);
}
