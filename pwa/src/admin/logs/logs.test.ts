import { describe, expect, it, vi } from 'vitest';

import { api, ApiError } from '../../app/api';
import { byDay, instant, query } from './logs';
import { Pages } from './pages.svelte';

describe('what is asked of the log', () => {
  it('leaves out what nobody has chosen, and escapes what somebody has', () => {
    expect(
      query({ space: '', kind: 'read', since: '2026-11-01T00:00:00+01:00', until: null }),
    ).toBe('?kind=read&since=2026-11-01T00%3A00%3A00%2B01%3A00');
    expect(query({ space: '' })).toBe('');
  });

  it('takes the last day whole', () => {
    const [from, to] = [instant('2026-11-27'), instant('2026-11-27', true)];
    expect(Date.parse(to ?? '') - Date.parse(from ?? '')).toBe(86_400_000);
    expect(instant('')).toBeNull();
  });
});

it('puts lines under their days, in the order in which they come', () => {
  const at = (hour: number, day: number): { at: string } => ({
    at: new Date(2026, 10, day, hour).toISOString(),
  });
  expect(byDay([at(9, 27), at(8, 27), at(23, 26)]).map(({ entries }) => entries.length)).toEqual([
    2, 1,
  ]);
});

describe('a list that comes page by page', () => {
  interface Page {
    entries: number[];
    next: string | null;
  }
  const pages = (): Pages<number> =>
    new Pages<number>(
      (path, next) => `${path}?after=${next}`,
      (page: Page) => page,
    );

  it('adds what follows, until there is nothing more', async () => {
    const asked = vi.spyOn(api, 'get');
    asked.mockResolvedValueOnce({ entries: [3, 2], next: 'two' });
    asked.mockResolvedValueOnce({ entries: [1], next: null });
    const list = pages();
    await list.load('logs');
    await list.follow();
    await list.follow();

    expect(list.entries).toEqual([3, 2, 1]);
    expect(asked.mock.calls).toEqual([['logs'], ['logs?after=two']]);
    asked.mockRestore();
  });

  it('shows nothing of a question that another has overtaken', async () => {
    const asked = vi.spyOn(api, 'get');
    let late: (page: Page) => void = () => undefined;
    asked.mockReturnValueOnce(new Promise((resolve) => (late = resolve as typeof late)));
    asked.mockResolvedValueOnce({ entries: [9], next: null });
    const list = pages();
    const first = list.load('logs/a');
    await list.load('logs/b');
    late({ entries: [1], next: 'x' });
    await first;

    expect([list.entries, list.next]).toEqual([[9], null]);
    asked.mockRestore();
  });

  it('keeps what is there when what follows does not come', async () => {
    const asked = vi.spyOn(api, 'get');
    asked.mockResolvedValueOnce({ entries: [3], next: 'two' });
    asked.mockRejectedValueOnce(new ApiError(0, 'offline'));
    const list = pages();
    await list.load('logs');
    await list.follow();

    expect([list.entries, list.more, list.state]).toEqual([[3], 'failed', 'ready']);
    asked.mockRestore();
  });
});
