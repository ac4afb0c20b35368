/** Where contact is lost and somebody looks at the page, it is sought every few seconds: they shall not read that there is
 *  none half a minute after it has come back. Behind another window the replica's own patience is enough. */
const SEEK_MS = 8_000;

/** From now on. `isWanted`: contact is lost, and somebody would see that it is not. Returns what ends it. */
export function seekContact({
  isWanted,
  seek,
  chance = Math.random,
}: {
  isWanted: () => boolean;
  seek: () => void;
  /** Between 0 and 1, so that the devices of a home do not knock at the same instant. */
  chance?: () => number;
}): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const wait = (): void => {
    timer = setTimeout(
      () => {
        if (isWanted()) seek();
        wait();
      },
      SEEK_MS * (0.75 + chance() / 2),
    );
  };
  wait();
  return () => clearTimeout(timer);
}
