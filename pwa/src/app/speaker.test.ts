import { expect, it, vi } from 'vitest';

import { Speaker } from './speaker';

/** Web Locks of one browser, and its tabs. */
class Browser {
  readonly #held = new Map<string, object>();
  readonly #queues = new Map<string, { tab: object; take: () => Promise<unknown> }[]>();

  tab(changed = (): void => undefined): { speaker: Speaker; close: () => void } {
    const tab = {};
    const locks = {
      request: (name: string, ...rest: unknown[]) => this.#request(tab, name, rest),
      query: () =>
        Promise.resolve({ held: [...this.#held.keys()].map((name) => ({ name })), pending: [] }),
    };
    const speaker = new Speaker(changed, locks);
    return { speaker, close: () => this.#close(tab) };
  }

  #request(tab: object, name: string, rest: unknown[]): Promise<unknown> {
    const take = rest.at(-1) as () => Promise<unknown>;
    const { signal } = (rest.length > 1 ? rest[0] : {}) as { signal?: AbortSignal };
    return new Promise((resolve, reject) => {
      const waits = { tab, take: () => take().then(resolve) };
      this.#queues.set(name, [...(this.#queues.get(name) ?? []), waits]);
      signal?.addEventListener('abort', () => {
        const queue = this.#queues.get(name) ?? [];
        if (!queue.includes(waits)) return;
        this.#queues.set(
          name,
          queue.filter((each) => each !== waits),
        );
        reject(new DOMException('', 'AbortError'));
      });
      this.#next(name);
    });
  }

  #next(name: string): void {
    const [first, ...others] = this.#queues.get(name) ?? [];
    if (first === undefined || this.#held.has(name)) return;
    this.#queues.set(name, others);
    this.#held.set(name, first.tab);
    void first.take().then(() => {
      if (this.#held.get(name) === first.tab) this.#free(name);
    });
  }

  #free(name: string): void {
    this.#held.delete(name);
    this.#next(name);
  }

  #close(tab: object): void {
    for (const [name, queue] of this.#queues)
      this.#queues.set(
        name,
        queue.filter((each) => each.tab !== tab),
      );
    for (const [name, holder] of [...this.#held]) if (holder === tab) this.#free(name);
  }
}

async function who(...speakers: Speaker[]): Promise<boolean[]> {
  return Promise.all(speakers.map((each) => each.speaks()));
}

it('lets the tab that can ring speak, and no other', async () => {
  const browser = new Browser();
  const [mute, rings] = [browser.tab().speaker, browser.tab().speaker];
  rings.rings(true);
  expect(await who(mute, rings)).toEqual([false, true]);
});

it('lets one of two that cannot ring say so', async () => {
  const browser = new Browser();
  const [one, other] = [browser.tab().speaker, browser.tab().speaker];
  expect(await who(one, other)).toEqual([true, false]);
});

it('lets one of two that can ring speak, and the other when that one is gone', async () => {
  const browser = new Browser();
  const changed = vi.fn();
  const first = browser.tab();
  const { speaker: second } = browser.tab(changed);
  first.speaker.rings(true);
  second.rings(true);
  expect(await who(first.speaker, second)).toEqual([true, false]);
  expect([first.speaker.holds, second.holds]).toEqual([true, false]);

  first.close();
  expect(await second.speaks()).toBe(true);
  expect(second.holds).toBe(true);
  expect(changed).toHaveBeenCalled();
});

it('hands over when sound is taken from the tab that spoke', async () => {
  const browser = new Browser();
  const [first, second] = [browser.tab().speaker, browser.tab().speaker];
  first.rings(true);
  second.rings(true);
  first.rings(false);
  await Promise.resolve();
  await vi.waitFor(async () => expect(await who(first, second)).toEqual([false, true]));

  second.rings(false);
  await vi.waitFor(async () => expect(await who(first, second)).toEqual([true, false]));
});

it('speaks in every tab where there are no locks', async () => {
  const [one, other] = [new Speaker(vi.fn(), null), new Speaker(vi.fn(), null)];
  one.rings(true);
  expect(await who(one, other)).toEqual([true, true]);
});
