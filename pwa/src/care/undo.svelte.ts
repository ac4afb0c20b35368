/** What was just done and can be taken back for ten seconds. One at a time: a newer one takes its place. */

interface Offer {
  what: string;
  undo: () => unknown;
}

class Undo {
  current = $state.raw<Offer | null>(null);

  offer(what: string, undo: () => unknown): void {
    this.current = { what, undo };
  }

  take(): void {
    const offer = this.current;
    this.current = null;
    offer?.undo();
  }

  forget(): void {
    this.current = null;
  }
}

export const undo = new Undo();
