/** Many requests to the device's store at a time. */

/** So many requests are made before a finger on the screen gets its turn: each copies what it is given. */
const AT_ONCE = 100;

/** Make a request for each, many at once: one that waits for the one before costs a way to the disk and back. */
export async function eachOf<I, O>(
  items: readonly I[],
  request: (item: I) => Promise<O>,
): Promise<O[]> {
  const outcomes: O[] = [];
  for (let i = 0; i < items.length; i += AT_ONCE)
    // What fails at once is an outcome like any other: nobody else waits for those before it.
    outcomes.push(
      ...(await Promise.all(items.slice(i, i + AT_ONCE).map(async (item) => request(item)))),
    );
  return outcomes;
}
